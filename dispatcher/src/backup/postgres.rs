//! PostgreSQL: its own `pg_dump` and `pg_restore`, which know what no copy by statements knows.
//!
//! A restore goes into an empty database only: make a new one, restore, point `database.url` at
//! it; the old one stays as evidence. The rows of `migrations` are written last, with the raised
//! epoch: a database that lacks them was cut in the middle, and no dispatcher serves from it.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use jiff::Timestamp;
use tokio::process::Command;

use super::file::Backup;
use super::finish::{Restored, finish};
use super::{BackupError, failed};
use crate::store::{Db, Engine, migrations, restore};

/// Characters of what a program said that are shown.
const SAID_MAX: usize = 600;

/// A consistent copy, while others read and write.
pub(super) async fn dump(url: &str, target: &Path) -> Result<(), BackupError> {
    let mut command = tool("pg_dump", url)?;
    command.args(["--format=custom", "--no-owner", "--no-privileges", "--file"]).arg(target);
    run("pg_dump", command).await.map(|_| ())
}

/// Restores into an empty database.
pub(super) async fn restore(
    url: &str,
    backup: Backup,
    now: Timestamp,
) -> Result<Restored, BackupError> {
    let db = Db::connect(url, 1).await?;
    if restore::count_tables(&mut *db.read().await?).await? > 0 {
        return Err(BackupError::Occupied {
            zh: "请新建空库（createdb）恢复后，将 database.url 指向它",
            en: "Make a new one (createdb), restore into it, and point database.url at it",
        });
    }
    let work = tempfile::Builder::new().prefix("tongluo-restore-").tempdir();
    let work = work.map_err(failed("make a folder in", &std::env::temp_dir()))?;
    let dump = work.path().join("dump");
    let manifest = backup.unpack(&dump)?;
    fill(url, &dump, &work.path().join("list")).await?;
    let finished = async {
        let mut tx = db.begin().await?;
        for file in &manifest.migrations {
            migrations::note(&mut tx, file.number, &file.name, &file.digest).await?;
        }
        migrations::run_in(&mut tx, Engine::Postgres).await?;
        let restored = finish(&mut tx, manifest, 0, now).await?;
        tx.commit().await?;
        Ok(restored)
    };
    let restored = finished.await;
    if restored.is_err() {
        let mut tx = db.begin().await?;
        restore::empty(&mut tx).await?;
        tx.commit().await?;
    }
    db.close().await;
    restored
}

/// Everything but the rows of `migrations`, or nothing.
async fn fill(url: &str, dump: &Path, list: &Path) -> Result<(), BackupError> {
    let mut command = bare("pg_restore")?;
    command.arg("--list").arg(dump);
    let items = run("pg_restore", command).await?;
    let is_kept = |line: &&str| {
        let mut words = line.split_whitespace().skip_while(|word| *word != "DATA");
        words.nth(2) != Some("migrations")
    };
    let kept = items.lines().filter(is_kept).collect::<Vec<_>>().join("\n");
    std::fs::write(list, kept).map_err(failed("write", list))?;
    let mut command = tool("pg_restore", url)?;
    command.args(["--single-transaction", "--no-owner", "--no-privileges", "--use-list"]);
    command.arg(list).arg(dump);
    run("pg_restore", command).await.map(|_| ())
}

/// A program that connects to `url`. The password goes by the environment: arguments are seen by
/// everybody on the machine.
fn tool(name: &'static str, url: &str) -> Result<Command, BackupError> {
    let mut command = bare(name)?;
    let (url, password) = apart(url);
    command.args(["--no-password", "--dbname", &url]);
    if let Some(password) = password {
        command.env("PGPASSWORD", password);
    }
    Ok(command)
}

/// The URL without its password, and the password.
fn apart(url: &str) -> (String, Option<String>) {
    let Ok(mut parsed) = url::Url::parse(url) else { return (url.to_owned(), None) };
    let Some(password) = parsed.password() else { return (url.to_owned(), None) };
    let password = percent_encoding::percent_decode_str(password).decode_utf8_lossy().into_owned();
    match parsed.set_password(None) {
        Ok(()) => (parsed.into(), Some(password)),
        Err(()) => (url.to_owned(), None),
    }
}

fn bare(name: &'static str) -> Result<Command, BackupError> {
    let mut command = Command::new(find(name).ok_or(BackupError::NoTool(name))?);
    command.stdin(Stdio::null()).kill_on_drop(true);
    Ok(command)
}

/// On the PATH, or where Debian keeps them, the newest first.
fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut versions = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect::<Vec<_>>())
        .unwrap_or_default();
    versions.sort();
    let folders = std::env::split_paths(&path).chain(versions.into_iter().rev());
    folders.map(|folder| folder.join(name)).find(|program| program.is_file())
}

async fn run(program: &'static str, mut command: Command) -> Result<String, BackupError> {
    let said = |why: String| BackupError::Tool { program, why };
    let output = command.output().await.map_err(|error| said(error.to_string()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(said(errors.trim().chars().take(SAID_MAX).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_among_the_arguments() {
        let (url, password) =
            apart("postgres://lin:p%40ss%2Bword@db.example/tongluo?sslmode=require");
        assert_eq!(url, "postgres://lin@db.example/tongluo?sslmode=require");
        assert_eq!(password.as_deref(), Some("p@ss+word"));
        let (url, password) = apart("postgres://lin@127.0.0.1:5432/tongluo");
        assert_eq!((url.as_str(), password), ("postgres://lin@127.0.0.1:5432/tongluo", None));
    }
}
