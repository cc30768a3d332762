//! The file of a backup: a line with the digest of the manifest, the manifest as one line of JSON
//! with length and digest of the payload, the payload. Any changed, missing or added byte shows.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Read, Write};
use std::path::Path;

use jiff::Timestamp;
use protocols::digest::Digest;
use protocols::region::RegionCode;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{BackupError, failed, folder_of};

/// The first words of the file; the number is the version of its form.
const MAGIC: &str = "tongluo-backup 1 ";

/// Bytes of the first line: the words, 64 digits, the end of the line.
const FIRST_LINE_BYTES_MAX: u64 = 128;

/// Bytes of the manifest: one short object for each file of `migrations/`.
const MANIFEST_BYTES_MAX: u64 = 1024 * 1024;

/// Bytes moved at once.
const CHUNK_BYTES: usize = 256 * 1024;

/// A file of `migrations/` that had been applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedFile {
    /// Its number.
    pub number: i64,
    /// Its name.
    pub name: String,
    /// Digest of its text.
    pub digest: String,
}

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// `sqlite` or `postgres`.
    pub engine: String,
    /// The version of the program that made it.
    pub program: String,
    /// The region of the dispatcher, where its certificate was at hand.
    pub region: Option<RegionCode>,
    /// When it was made.
    pub taken_at: Timestamp,
    /// The tables' state.
    pub migrations: Vec<AppliedFile>,
    /// Length of the payload.
    pub bytes: u64,
    /// SHA-256 of the payload, hexadecimal.
    pub sha256: String,
}

/// A manifest before the payload was measured.
pub(super) struct Draft {
    pub(super) engine: String,
    pub(super) region: Option<RegionCode>,
    pub(super) taken_at: Timestamp,
    pub(super) applied: Vec<(i64, String, String)>,
}

/// Writes the file beside its place, and moves it there when it is whole and on the disk.
pub(super) fn write(
    draft: Draft,
    payload: &Path,
    work: &Path,
    out: &Path,
) -> Result<Manifest, BackupError> {
    let mut source = File::open(payload).map_err(failed("read", payload))?;
    let (bytes, sha256) =
        pour(&mut source, &mut io::sink(), u64::MAX).map_err(failed("read", payload))?;
    let migrations = draft.applied.into_iter();
    let manifest = Manifest {
        engine: draft.engine,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        region: draft.region,
        taken_at: draft.taken_at,
        migrations: migrations
            .map(|(number, name, digest)| AppliedFile { number, name, digest })
            .collect(),
        bytes,
        sha256: sha256.to_string(),
    };
    let line = serde_json::to_string(&manifest).expect("texts and numbers always encode");
    let target = tempfile::NamedTempFile::new_in(work).map_err(failed("make a file in", work))?;
    let fill = || -> io::Result<()> {
        let mut source = File::open(payload)?;
        let mut writer = BufWriter::new(target.as_file());
        writeln!(writer, "{MAGIC}{}", Digest::of(line.as_bytes()))?;
        writeln!(writer, "{line}")?;
        pour(&mut source, &mut writer, u64::MAX)?;
        writer.flush()?;
        target.as_file().sync_all()
    };
    fill().map_err(failed("write", out))?;
    target.persist_noclobber(out).map_err(|error| failed("write", out)(error.error))?;
    sync_folder(folder_of(out))?;
    Ok(manifest)
}

/// A backup whose manifest was checked; its payload is checked by [`Backup::unpack`].
pub struct Backup {
    manifest: Manifest,
    reader: BufReader<File>,
}

/// Opens a backup and checks its manifest.
pub(super) fn open(path: &Path) -> Result<Backup, BackupError> {
    let file = File::open(path).map_err(failed("read", path))?;
    let mut reader = BufReader::new(file);
    let mut line = |bytes_max: u64| -> Result<String, BackupError> {
        let mut text = Vec::new();
        let mut bounded = (&mut reader).take(bytes_max);
        bounded.read_until(b'\n', &mut text).map_err(failed("read", path))?;
        if text.pop() != Some(b'\n') {
            return Err(BackupError::NotABackup("a line of its head is not ended"));
        }
        String::from_utf8(text).map_err(|_| BackupError::NotABackup("its head is not text"))
    };
    let first = line(FIRST_LINE_BYTES_MAX)?;
    let Some(digest) = first.strip_prefix(MAGIC) else {
        return Err(BackupError::NotABackup("it does not begin with tongluo-backup 1"));
    };
    let text = line(MANIFEST_BYTES_MAX)?;
    if Digest::of(text.as_bytes()).to_string() != digest {
        return Err(BackupError::Damaged("manifest".to_owned()));
    }
    let manifest = serde_json::from_str(&text)
        .map_err(|_| BackupError::NotABackup("its manifest is not understood"))?;
    Ok(Backup { manifest, reader })
}

impl Backup {
    /// What it says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Writes the payload into the new file `target`. Where it is not what the manifest says, the
    /// error is all that remains of use.
    pub(super) fn unpack(mut self, target: &Path) -> Result<Manifest, BackupError> {
        let mut file = File::create_new(target).map_err(failed("write", target))?;
        // One byte more than there should be is read, so that an added one shows.
        let bytes_max = self.manifest.bytes.saturating_add(1);
        let (bytes, sha256) =
            pour(&mut self.reader, &mut file, bytes_max).map_err(failed("write", target))?;
        file.sync_all().map_err(failed("write", target))?;
        if bytes != self.manifest.bytes {
            let wanted = self.manifest.bytes;
            let what = if bytes > wanted { "more than" } else { "less than" };
            return Err(BackupError::Damaged(format!("payload: {what} {wanted} bytes")));
        }
        if sha256.to_string() != self.manifest.sha256 {
            return Err(BackupError::Damaged("payload: SHA-256".to_owned()));
        }
        Ok(self.manifest)
    }
}

/// Moves at most `bytes_max` bytes; gives how many, and their digest.
fn pour(
    source: &mut impl Read,
    target: &mut impl Write,
    bytes_max: u64,
) -> io::Result<(u64, Digest)> {
    let mut source = source.take(bytes_max);
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut bytes = 0;
    loop {
        let read = source.read(&mut chunk)?;
        if read == 0 {
            return Ok((bytes, Digest(hash.finalize().into())));
        }
        hash.update(&chunk[..read]);
        target.write_all(&chunk[..read])?;
        bytes += read as u64;
    }
}

/// Makes a rename in this folder outlast a power cut.
pub(super) fn sync_folder(folder: &Path) -> Result<(), BackupError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("sync", folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(folder: &Path) -> std::path::PathBuf {
        let (payload, out) = (folder.join("payload"), folder.join("a.backup"));
        std::fs::write(&payload, b"all that is known").expect("written");
        let draft = Draft {
            engine: "sqlite".to_owned(),
            region: None,
            taken_at: Timestamp::UNIX_EPOCH,
            applied: vec![(1, "0001_x".to_owned(), "d".to_owned())],
        };
        write(draft, &payload, folder, &out).expect("made");
        out
    }

    #[test]
    fn whatever_byte_is_changed_cut_or_added_the_file_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let out = made(folder.path());
        let good = std::fs::read(&out).expect("read");
        let copy = folder.path().join("copy");
        let judge = |bytes: &[u8]| {
            std::fs::write(&copy, bytes).expect("written");
            let target = folder.path().join("target");
            let verdict = open(&copy).and_then(|backup| backup.unpack(&target));
            let _ = std::fs::remove_file(&target);
            verdict
        };
        assert_eq!(judge(&good).expect("whole").bytes, 17);
        for place in 0..good.len() {
            let mut bad = good.clone();
            bad[place] ^= 1;
            assert!(judge(&bad).is_err(), "byte {place}");
            assert!(judge(&good[..place]).is_err(), "cut at {place}");
        }
        let longer = [&good[..], b"x"].concat();
        assert!(matches!(judge(&longer), Err(BackupError::Damaged(_))));
    }

    #[test]
    fn a_file_in_its_place_is_not_written_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let out = made(folder.path());
        let before = std::fs::read(&out).expect("read");
        let draft = Draft {
            engine: "sqlite".to_owned(),
            region: None,
            taken_at: Timestamp::UNIX_EPOCH,
            applied: Vec::new(),
        };
        let again = write(draft, &folder.path().join("payload"), folder.path(), &out);
        assert!(again.is_err());
        assert_eq!(std::fs::read(&out).expect("read"), before);
    }
}
