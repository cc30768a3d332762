//! The journal file: records of bytes, each on disk before anybody is told that it is.
//!
//! File: 8 bytes `TLJRNL01`, then records. Record: length (4 bytes, little-endian), CRC-32 of the
//! payload (4 bytes, little-endian), payload. What follows the first record that is torn or fails
//! its sum was never acknowledged: it is cut off at opening. Where whole records lie behind such a
//! place the card has failed: acknowledged facts are lost, numbers may have been used, and the file
//! is put aside as `<name>.damaged` for a new journal that knows that it knows nothing. A compaction writes a new file beside
//! the old one and renames it over: at any instant one of the two is whole.
//!
//! A second process is refused by a lock on a file of its own (`<name>.lock`), which outlives the
//! renames. Knows nothing of what a record says.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use kill_points::kill_point;

/// First bytes of the file: the format and its version.
const MAGIC: &[u8; 8] = b"TLJRNL01";

/// Bytes of one record. The largest, an order with its envelope, is 4 KiB; this catches lengths
/// that were never written.
pub const RECORD_BYTES_MAX: usize = 256 * 1024;

/// Bytes of the whole file that are read at most: a compacted journal stays below 2 MiB and grows
/// by 1 MiB before the next compaction.
pub const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Bytes behind a damaged place that are searched for the next whole record: the longest record
/// that is common, sixteen times.
const SEARCH_BYTES_MAX: usize = 64 * 1024;

/// Why the journal can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("{0} is in use by another edge-node")]
    Locked(PathBuf),
    /// The file is not a journal, or of a later version; it is left untouched.
    #[error("{0} is not a journal of this version")]
    Foreign(PathBuf),
    /// The disk.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
}

/// The lock of one process on one journal.
#[derive(Debug)]
struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Not by closing alone: a child that is just being born holds a copy of every open file, and
        // a copy keeps the lock.
        if let Err(error) = self.0.unlock() {
            tracing::warn!("the journal's lock was not given back: {error}");
        }
    }
}

/// An open journal, locked for this process.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    len: u64,
    _lock: Lock,
}

/// What was read.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The whole records, in the order of writing.
    pub records: Vec<Vec<u8>>,
    /// Bytes up to the end of the last whole record.
    pub whole_bytes: u64,
    /// Bytes after it.
    pub torn_bytes: u64,
    /// Whether whole records lie behind the torn one: not a power cut, but damage.
    pub is_broken: bool,
}

impl Journal {
    /// Opens or creates the journal, cuts off a torn tail, and gives its records.
    pub fn open(path: &Path) -> Result<(Self, Contents), OpenError> {
        let io = |source| OpenError::Io { path: path.to_owned(), source };
        let lock_path = beside(path, ".lock");
        let lock =
            File::create(&lock_path).map_err(|source| OpenError::Io { path: lock_path, source })?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::Locked(path.to_owned())),
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        let lock = Lock(lock);
        let is_new = !path.exists();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(path).map_err(io)?;
        let mut bytes = Vec::new();
        (&mut file).take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(io)?;
        // A file shorter than its first bytes was torn at its creation and holds nothing.
        let mut contents = if bytes.len() < MAGIC.len() && MAGIC.starts_with(&bytes) {
            Contents { torn_bytes: bytes.len() as u64, ..Contents::default() }
        } else {
            read(&bytes).ok_or_else(|| OpenError::Foreign(path.to_owned()))?
        };
        if contents.is_broken {
            std::fs::rename(path, beside(path, ".damaged")).map_err(io)?;
            file = options.open(path).map_err(io)?;
            contents = Contents { is_broken: true, ..Contents::default() };
        }
        let mut journal =
            Self { path: path.to_owned(), file, len: contents.whole_bytes, _lock: lock };
        journal.begin(&contents, is_new).map_err(io)?;
        Ok((journal, contents))
    }

    fn begin(&mut self, contents: &Contents, is_new: bool) -> io::Result<()> {
        if contents.torn_bytes > 0 {
            self.file.set_len(contents.whole_bytes)?;
        }
        if self.len == 0 {
            self.file.seek(SeekFrom::Start(0))?;
            self.file.write_all(MAGIC)?;
            self.len = MAGIC.len() as u64;
        }
        if contents.torn_bytes > 0 || contents.whole_bytes == 0 {
            self.file.sync_all()?;
        }
        if is_new {
            sync_folder(&self.path)?;
        }
        self.file.seek(SeekFrom::Start(self.len))?;
        Ok(())
    }

    /// Appends one record and waits until it is on disk. On an error the journal is as before.
    pub fn append(&mut self, record: &[u8]) -> io::Result<()> {
        let mut frame = Vec::with_capacity(record.len() + 8);
        push_frame(&mut frame, record)?;
        let result = self.file.write_all(&frame).and_then(|()| self.file.sync_data());
        match result {
            Ok(()) => {
                self.len += frame.len() as u64;
                Ok(())
            }
            Err(error) => {
                // What stands there now may be half a record: it is cut off, or else by the next
                // opening.
                let _ = self.file.set_len(self.len);
                let _ = self.file.seek(SeekFrom::Start(self.len));
                Err(error)
            }
        }
    }

    /// Replaces the whole journal by `records`. On an error the old one stands.
    pub fn replace(&mut self, records: &[Vec<u8>]) -> io::Result<()> {
        let mut bytes = MAGIC.to_vec();
        for record in records {
            push_frame(&mut bytes, record)?;
        }
        let fresh = beside(&self.path, ".new");
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true);
        kill_point!("compaction.writing");
        let mut file = options.open(&fresh)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        kill_point!("compaction.written");
        std::fs::rename(&fresh, &self.path)?;
        kill_point!("compaction.renamed");
        // From here on the new file is the journal, whatever becomes of the folder's entry.
        self.file = file;
        self.len = bytes.len() as u64;
        sync_folder(&self.path)
    }

    /// Its size in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it holds no record.
    pub fn is_empty(&self) -> bool {
        self.len <= MAGIC.len() as u64
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Reads a journal's bytes; `None` when they are not a journal of this version.
pub fn read(bytes: &[u8]) -> Option<Contents> {
    let mut rest = bytes.strip_prefix(MAGIC)?;
    let mut records = Vec::new();
    while let Some((record, after)) = next_record(rest) {
        records.push(record.to_vec());
        rest = after;
    }
    let torn_bytes = rest.len() as u64;
    let whole_bytes = bytes.len() as u64 - torn_bytes;
    Some(Contents { records, whole_bytes, torn_bytes, is_broken: has_record_behind(rest) })
}

/// Whether a record begins somewhere behind the first byte.
fn has_record_behind(torn: &[u8]) -> bool {
    let window = torn.get(1..torn.len().min(SEARCH_BYTES_MAX)).unwrap_or_default();
    (1..=window.len()).any(|at| {
        // An empty record has the sum 0: eight zeros in a row are none.
        next_record(&torn[at..]).is_some_and(|(record, _)| !record.is_empty())
    })
}

fn next_record(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    let len = u32::from_le_bytes(*len) as usize;
    if len > RECORD_BYTES_MAX {
        return None;
    }
    let (record, rest) = rest.split_at_checked(len)?;
    (crc32(record) == u32::from_le_bytes(*sum)).then_some((record, rest))
}

fn push_frame(into: &mut Vec<u8>, record: &[u8]) -> io::Result<()> {
    if record.len() > RECORD_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a record of more than 256 KiB"));
    }
    into.extend((record.len() as u32).to_le_bytes());
    into.extend(crc32(record).to_le_bytes());
    into.extend(record);
    Ok(())
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Makes the entry of a file in its folder durable.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// CRC-32 as in Ethernet and zip (reflected 0xEDB88320), bit by bit: a journal writes a few
/// kilobytes an hour.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a temporary folder")
    }

    #[test]
    fn the_checksum_is_the_well_known_one() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn what_was_appended_is_there_after_a_restart() {
        let dir = folder();
        let path = dir.path().join("journal");
        let (mut journal, contents) = Journal::open(&path).expect("opens");
        assert_eq!(contents.records.len(), 0);
        journal.append(b"one").expect("appends");
        journal.append(b"").expect("appends");
        drop(journal);
        let (mut journal, contents) = Journal::open(&path).expect("opens");
        assert_eq!(contents.records, [b"one".to_vec(), Vec::new()]);
        journal.append(b"three").expect("appends");
        journal.replace(&[b"all".to_vec()]).expect("compacts");
        journal.append(b"four").expect("appends");
        drop(journal);
        let (_, contents) = Journal::open(&path).expect("opens");
        assert_eq!(contents.records, [b"all".to_vec(), b"four".to_vec()]);
    }

    #[test]
    fn a_cut_at_any_byte_leaves_the_whole_records_before_it() {
        let dir = folder();
        let path = dir.path().join("journal");
        let (mut journal, _) = Journal::open(&path).expect("opens");
        let mut ends = vec![journal.len()];
        for n in 0..4u8 {
            journal.append(&vec![n; usize::from(n) * 3]).expect("appends");
            ends.push(journal.len());
        }
        drop(journal);
        let whole = std::fs::read(&path).expect("reads");
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).expect("writes");
            let (mut journal, contents) = Journal::open(&path).expect("opens");
            let n_whole = ends.iter().filter(|end| **end <= cut as u64).count().saturating_sub(1);
            assert_eq!(contents.records.len(), n_whole, "cut at {cut}");
            journal.append(b"after").expect("appends");
            drop(journal);
            let again = read(&std::fs::read(&path).expect("reads")).expect("a journal");
            assert_eq!((again.records.len(), again.torn_bytes), (n_whole + 1, 0), "cut at {cut}");
        }
    }

    #[test]
    fn a_flipped_bit_ends_the_journal_before_it() {
        let mut bytes = MAGIC.to_vec();
        push_frame(&mut bytes, b"first").expect("small");
        let first = bytes.len();
        push_frame(&mut bytes, b"second").expect("small");
        for at in first..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 0x10;
            let contents = read(&bad).expect("a journal");
            assert_eq!(contents.records, [b"first".to_vec()], "bit in byte {at}");
        }
    }

    #[test]
    fn damage_before_whole_records_puts_the_journal_aside() {
        let dir = folder();
        let path = dir.path().join("journal");
        let (mut journal, _) = Journal::open(&path).expect("opens");
        for record in [b"first", b"other", b"third"] {
            journal.append(record).expect("appends");
        }
        drop(journal);
        let mut bytes = std::fs::read(&path).expect("reads");
        let place = bytes.windows(5).position(|w| w == b"other").expect("it stands there");
        bytes[place] ^= 1;
        std::fs::write(&path, &bytes).expect("writes");
        let (mut journal, contents) = Journal::open(&path).expect("opens");
        assert!(contents.is_broken && contents.records.is_empty());
        journal.append(b"anew").expect("appends");
        drop(journal);
        let (_, contents) = Journal::open(&path).expect("opens");
        assert_eq!((contents.records, contents.is_broken), (vec![b"anew".to_vec()], false));
        assert_eq!(std::fs::read(beside(&path, ".damaged")).expect("it is kept"), bytes);
    }

    #[test]
    fn a_second_process_and_a_foreign_file_are_refused() {
        let dir = folder();
        let path = dir.path().join("journal");
        let first = Journal::open(&path).expect("opens");
        assert!(matches!(Journal::open(&path), Err(OpenError::Locked(_))));
        drop(first);
        assert!(Journal::open(&path).is_ok());
        let foreign = dir.path().join("letter");
        std::fs::write(&foreign, b"Dear village").expect("writes");
        assert!(matches!(Journal::open(&foreign), Err(OpenError::Foreign(_))));
        assert_eq!(std::fs::read(&foreign).expect("reads"), b"Dear village");
    }

    #[test]
    fn a_record_that_is_too_long_is_refused_and_harms_nothing() {
        let dir = folder();
        let path = dir.path().join("journal");
        let (mut journal, _) = Journal::open(&path).expect("opens");
        assert!(journal.append(&vec![0; RECORD_BYTES_MAX + 1]).is_err());
        assert!(journal.is_empty());
        journal.append(b"x").expect("appends");
    }
}
