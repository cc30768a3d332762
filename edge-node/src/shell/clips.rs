//! The clip cache: files named by their digest, bounded, checked when written and when read.
//!
//! When room is needed, what nobody waits for any more goes first, the least recently used before
//! others; clips of the phrase set are pinned and go last. Knows nothing of where clips come from.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use kill_points::kill_point;
use protocols::digest::Digest;
use protocols::limits::CLIP_BYTES_MAX;

/// Ending of a clip's file name.
const SUFFIX: &str = ".opus";

/// Why a clip is not taken or not given.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The bytes are not what the digest says.
    #[error("the clip is not what its digest says")]
    OtherBytes,
    /// Longer than the protocol allows, or than the whole cache.
    #[error("the clip is larger than {CLIP_BYTES_MAX} bytes or than the cache")]
    Oversize,
    /// All that is in the cache is still needed.
    #[error("the cache is full of clips that are still needed")]
    Full,
    /// It is not there.
    #[error("the clip is not in the cache")]
    Absent,
    /// The disk.
    #[error("clip cache: {0}")]
    Io(#[from] io::Error),
}

/// The cache.
#[derive(Debug)]
pub struct ClipStore {
    folder: PathBuf,
    bytes_max: u64,
    clips: BTreeMap<Digest, Entry>,
    pinned: BTreeSet<Digest>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    bytes: u64,
    used_at: Timestamp,
    keep_until: Timestamp,
}

impl ClipStore {
    /// Opens or creates the folder; leftovers of an interrupted write are removed.
    pub fn open(folder: &Path, bytes_max: u64) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let mut clips = BTreeMap::new();
        for file in std::fs::read_dir(folder)? {
            let file = file?;
            let name = file.file_name().to_string_lossy().into_owned();
            let Some(digest) = name.strip_suffix(SUFFIX).and_then(|hex| hex.parse().ok()) else {
                // Only our own unfinished files are ours to remove.
                if name.starts_with(".tmp") {
                    let _ = std::fs::remove_file(file.path());
                }
                continue;
            };
            let meta = file.metadata()?;
            let used_at = meta.modified().ok().and_then(|at| Timestamp::try_from(at).ok());
            let used_at = used_at.unwrap_or(Timestamp::UNIX_EPOCH);
            let keep_until = Timestamp::UNIX_EPOCH;
            clips.insert(digest, Entry { bytes: meta.len(), used_at, keep_until });
        }
        Ok(Self { folder: folder.to_owned(), bytes_max, clips, pinned: BTreeSet::new() })
    }

    /// Whether the clip is there. Its bytes are checked when they are read.
    pub fn contains(&self, digest: &Digest) -> bool {
        self.clips.contains_key(digest)
    }

    /// Keeps a clip that is there until this time.
    pub fn keep(&mut self, digest: &Digest, until: Timestamp) {
        if let Some(entry) = self.clips.get_mut(digest) {
            entry.keep_until = entry.keep_until.max(until);
        }
    }

    /// The clips of the phrase set; they go last.
    pub fn pin(&mut self, digests: impl IntoIterator<Item = Digest>) {
        self.pinned = digests.into_iter().collect();
    }

    /// Bytes in the cache.
    pub fn bytes(&self) -> u64 {
        self.clips.values().map(|entry| entry.bytes).sum()
    }

    /// The bytes of a clip. One that was damaged on disk is removed and counts as absent.
    pub fn load(&mut self, digest: &Digest, now: Timestamp) -> Result<Arc<[u8]>, StoreError> {
        let entry = self.clips.get_mut(digest).ok_or(StoreError::Absent)?;
        entry.used_at = now;
        let path = self.path(digest);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) if Digest::of(&bytes) == *digest => bytes,
            Ok(_) => {
                self.remove(digest);
                return Err(StoreError::OtherBytes);
            }
            Err(error) => {
                self.remove(digest);
                return Err(error.into());
            }
        };
        Ok(bytes.into())
    }

    /// Takes a clip in, on disk when this returns.
    pub fn insert(
        &mut self,
        digest: Digest,
        bytes: &[u8],
        now: Timestamp,
        keep_until: Timestamp,
    ) -> Result<(), StoreError> {
        if Digest::of(bytes) != digest {
            return Err(StoreError::OtherBytes);
        }
        let len = bytes.len() as u64;
        if bytes.len() > CLIP_BYTES_MAX || len > self.bytes_max {
            return Err(StoreError::Oversize);
        }
        self.make_room(len, now)?;
        let path = self.path(&digest);
        kill_point!("clip.writing");
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(&path).map_err(|error| error.error)?;
        super::journal::sync_folder(&path)?;
        kill_point!("clip.written");
        self.clips.insert(digest, Entry { bytes: len, used_at: now, keep_until });
        Ok(())
    }

    fn make_room(&mut self, needed: u64, now: Timestamp) -> Result<(), StoreError> {
        while self.bytes() + needed > self.bytes_max {
            let victim = self
                .clips
                .iter()
                .filter(|(_, entry)| entry.keep_until <= now)
                .min_by_key(|(digest, entry)| (self.pinned.contains(digest), entry.used_at))
                .map(|(digest, _)| *digest);
            self.remove(&victim.ok_or(StoreError::Full)?);
        }
        Ok(())
    }

    fn remove(&mut self, digest: &Digest) {
        self.clips.remove(digest);
        // A file that can't be removed is found again at the next opening.
        let _ = std::fs::remove_file(self.path(digest));
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.join(format!("{digest}{SUFFIX}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn clip(n: u8) -> (Digest, Vec<u8>) {
        let bytes = vec![n; 100];
        (Digest::of(&bytes), bytes)
    }

    fn insert(store: &mut ClipStore, n: u8, now: i64, keep: i64) -> Result<Digest, StoreError> {
        let (digest, bytes) = clip(n);
        store.insert(digest, &bytes, at(now), at(keep)).map(|()| digest)
    }

    #[test]
    fn a_clip_survives_a_restart_and_damage_on_disk_is_noticed() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut store = ClipStore::open(dir.path(), 1_000).expect("opens");
        let digest = insert(&mut store, 1, 0, 0).expect("room");
        let mut store = ClipStore::open(dir.path(), 1_000).expect("opens");
        assert_eq!(store.load(&digest, at(1)).expect("there").len(), 100);
        std::fs::write(dir.path().join(format!("{digest}.opus")), b"rot").expect("writes");
        assert!(matches!(store.load(&digest, at(1)), Err(StoreError::OtherBytes)));
        assert!(!store.contains(&digest));
    }

    #[test]
    fn bytes_that_are_not_their_digest_leave_nothing_behind() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut store = ClipStore::open(dir.path(), 1_000).expect("opens");
        let (digest, _) = clip(1);
        let result = store.insert(digest, b"other", at(0), at(0));
        assert!(matches!(result, Err(StoreError::OtherBytes)));
        assert_eq!(std::fs::read_dir(dir.path()).expect("reads").count(), 0);
    }

    #[test]
    fn room_is_made_by_age_but_not_of_what_is_needed_and_of_phrases_last() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut store = ClipStore::open(dir.path(), 350).expect("opens");
        let phrase = insert(&mut store, 1, 1, 0).expect("room");
        let needed = insert(&mut store, 2, 2, 1_000).expect("room");
        let old = insert(&mut store, 3, 3, 0).expect("room");
        store.pin([phrase]);
        let new = insert(&mut store, 4, 10, 1_000).expect("room");
        assert!(store.contains(&phrase) && store.contains(&needed) && store.contains(&new));
        assert!(!store.contains(&old));
        insert(&mut store, 5, 11, 1_000).expect("room");
        assert!(!store.contains(&phrase));
        assert!(matches!(insert(&mut store, 6, 12, 0), Err(StoreError::Full)));
        assert!(store.bytes() <= 350);
    }
}
