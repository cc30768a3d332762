//! USB sticks: looks for the file of one, reads it within its limits, and hands it to the run loop.
//! Believes nothing of it; the engine judges each message as if a broker had brought it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use protocols::limits::STICK_BYTES_MAX;
use protocols::stick::{FILE_NAME, Stick, StickError};
use tokio::sync::mpsc;

use super::clock;

/// Pause between two looks: whoever puts a stick in waits beside it.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Folders of the mount point that are looked into: more sticks than a device has sockets.
const FOLDERS_MAX: usize = 16;

/// Sticks that may wait for the run loop.
const STICKS_MAX: usize = 1;

/// What tells one content of a file from the next without reading it: length and time of change.
type Looks = BTreeMap<PathBuf, (u64, Option<SystemTime>)>;

/// What came of a file.
type Reading = (PathBuf, Result<Stick, ReadError>);

/// Why a stick was not read.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Stick(#[from] StickError),
}

/// Watches `folder` until the receiver is dropped; an empty path is never looked at.
pub fn watch(folder: PathBuf) -> mpsc::Receiver<Stick> {
    let (sticks, receiver) = mpsc::channel(STICKS_MAX);
    if !folder.as_os_str().is_empty() {
        tokio::spawn(look(folder, sticks));
    }
    receiver
}

async fn look(folder: PathBuf, sticks: mpsc::Sender<Stick>) {
    let mut seen = Looks::new();
    while !sticks.is_closed() {
        let place = folder.clone();
        // A stick that is worn out may keep a reader waiting for long.
        let found = tokio::task::spawn_blocking(move || changes(&place, &seen)).await;
        let Ok((now, read)) = found else { return };
        seen = now;
        for (path, stick) in read {
            match stick {
                Ok(stick) => {
                    if sticks.send(stick).await.is_err() {
                        return;
                    }
                }
                Err(error) => tracing::warn!("{}: {error}", path.display()),
            }
        }
        clock::sleep(LOOK_EVERY).await;
    }
}

/// The files that are there now, and the content of those that were not there or were otherwise.
fn changes(folder: &Path, seen: &Looks) -> (Looks, Vec<Reading>) {
    let (mut now, mut read) = (Looks::new(), Vec::new());
    for path in candidates(folder) {
        let Ok(metadata) = fs::metadata(&path) else { continue };
        let look = (metadata.len(), metadata.modified().ok());
        if metadata.is_file() && seen.get(&path) != Some(&look) {
            read.push((path.clone(), read_file(&path)));
        }
        now.insert(path, look);
    }
    (now, read)
}

fn candidates(folder: &Path) -> Vec<PathBuf> {
    let below = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = below.map(|entry| entry.path()).filter(|path| path.is_dir()).take(FOLDERS_MAX);
    let files = std::iter::once(folder.to_owned()).chain(folders);
    files.map(|folder| folder.join(FILE_NAME)).collect()
}

fn read_file(path: &Path) -> Result<Stick, ReadError> {
    let mut bytes = Vec::new();
    let one_more = STICK_BYTES_MAX as u64 + 1;
    File::open(path)?.take(one_more).read_to_end(&mut bytes)?;
    Ok(Stick::decode(&bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stick_is_read_once_and_again_when_it_changes_or_comes_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let mount = folder.path().join("usb0");
        let empty = Stick::new(Vec::new()).expect("a stick").encode().expect("short");
        let (seen, read) = changes(folder.path(), &Looks::new());
        assert!(read.is_empty());
        fs::create_dir(&mount).expect("a folder");
        fs::write(mount.join(FILE_NAME), &empty).expect("a file");
        let (seen, read) = changes(folder.path(), &seen);
        assert!(matches!(&read[..], [(_, Ok(stick))] if stick.is_empty()));
        let (seen, read) = changes(folder.path(), &seen);
        assert!(read.is_empty(), "it is known");
        fs::write(mount.join(FILE_NAME), b"no stick").expect("a file");
        let (seen, read) = changes(folder.path(), &seen);
        assert!(matches!(&read[..], [(_, Err(ReadError::Stick(StickError::Malformed(_))))]));
        fs::remove_file(mount.join(FILE_NAME)).expect("drawn out");
        let (seen, read) = changes(folder.path(), &seen);
        assert!(read.is_empty() && seen.is_empty());
        fs::write(folder.path().join(FILE_NAME), &empty).expect("a file");
        assert_eq!(changes(folder.path(), &seen).1.len(), 1, "the mount point itself may be one");
    }

    #[test]
    fn what_is_longer_than_a_stick_is_not_read_to_its_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(FILE_NAME);
        fs::write(&path, vec![0; STICK_BYTES_MAX + 9]).expect("a file");
        let error = read_file(&path).expect_err("too long");
        assert!(
            matches!(error, ReadError::Stick(StickError::TooLong(n)) if n == STICK_BYTES_MAX + 1)
        );
    }
}
