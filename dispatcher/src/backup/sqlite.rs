//! SQLite: copied online by `vacuum into`; restored beside the database and moved into its place.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::file::{self, Backup};
use super::finish::{Restored, finish};
use super::{BackupError, failed, folder_of};
use crate::store::{self, Db, epochs, restore};

/// A consistent copy, while others read and write.
pub(super) async fn copy(db: &Db, target: &Path) -> Result<(), BackupError> {
    let mut connection = db.read().await?;
    restore::copy_into(&mut connection, &target.to_string_lossy()).await?;
    Ok(())
}

/// Everything is done to a copy beside the database; the last step is one rename.
pub(super) async fn restore(
    url: &str,
    backup: Backup,
    is_replacing: bool,
    now: Timestamp,
) -> Result<Restored, BackupError> {
    let place = store::sqlite_path(url);
    let folder = folder_of(&place);
    fs::create_dir_all(folder).map_err(failed("make", folder))?;
    let is_occupied = fs::metadata(&place).is_ok_and(|it| it.len() > 0);
    if is_occupied && !is_replacing {
        return Err(BackupError::Occupied {
            zh: "用 --replace 替换，原数据库会保留在旁",
            en: "With --replace it is kept beside the restored one",
        });
    }
    let work = tempfile::Builder::new().prefix(".tongluo-restore-").tempdir_in(folder);
    let work = work.map_err(failed("make a folder in", folder))?;
    let copy = work.path().join("restored.db");
    let manifest = backup.unpack(&copy)?;
    let known = if is_occupied { quiesce(url).await? } else { 0 };

    let db = Db::open(&format!("sqlite:{}", copy.display()), 1).await?;
    let mut tx = db.begin().await?;
    let verdict = restore::integrity(&mut tx).await?;
    if verdict != "ok" {
        return Err(BackupError::Damaged(verdict));
    }
    let mut restored = finish(&mut tx, manifest, known, now).await?;
    tx.commit().await?;
    let mut connection = db.read().await?;
    let is_one_file = restore::fold(&mut connection).await?;
    drop(connection);
    db.close().await;
    if !is_one_file {
        return Err(BackupError::InUse);
    }
    fs::File::open(&copy).and_then(|copy| copy.sync_all()).map_err(failed("sync", &copy))?;
    if is_occupied {
        restored.kept = Some(keep(&place, now)?);
    }
    fs::rename(&copy, &place).map_err(failed("write", &place))?;
    file::sync_folder(folder)?;
    Ok(restored)
}

/// Makes sure that nobody has the old database open, and asks for its epoch; 0 when it is too
/// damaged to say.
async fn quiesce(url: &str) -> Result<u32, BackupError> {
    let Ok(db) = Db::connect(url, 1).await else { return Ok(0) };
    let mut connection = db.read().await?;
    let known = epochs::current(&mut connection).await.unwrap_or(0);
    let folded = restore::fold(&mut connection).await;
    drop(connection);
    db.close().await;
    match folded {
        Ok(false) => Err(BackupError::InUse),
        Ok(true) | Err(_) => Ok(known),
    }
}

/// Gives the old database a second name. What is left of its write-ahead log goes with it: beside
/// another database it would be poison.
fn keep(place: &Path, now: Timestamp) -> Result<PathBuf, BackupError> {
    let beside = |ending: &str| {
        let mut name = place.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let mark = format!(".before-restore-{}", now.as_second());
    let kept = beside(&mark);
    fs::hard_link(place, &kept).map_err(failed("keep the old database as", &kept))?;
    for ending in ["-wal", "-shm"] {
        let left = beside(ending);
        if left.exists() {
            let target = beside(&format!("{mark}{ending}"));
            fs::rename(&left, &target).map_err(failed("keep the old log as", &target))?;
        }
    }
    Ok(kept)
}
