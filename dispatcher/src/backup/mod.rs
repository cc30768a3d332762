//! A copy of the whole database in one file that proves itself, and the way back.
//!
//! | file | does |
//! |---|---|
//! | [`file`] | the file: manifest, digest, payload |
//! | [`sqlite`] | copies while others write; puts a checked copy in the place of the database |
//! | [`postgres`] | calls `pg_dump` and `pg_restore` |
//! | [`finish`] | what every restore must do before anybody serves: checks the record, raises the epoch |
//!
//! **Not in it**: signing keys, certificates, roots, configuration. Whoever steals a backup reads
//! names, password hashes and second factors; they can't sign an order.
//!
//! **Invariant:** at every instant of a restore, the database is the old one, or none that serves,
//! or the new one with its epoch raised. Numbers of orders are never used twice.

pub mod file;
pub mod finish;
pub mod postgres;
pub mod sqlite;

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use protocols::region::RegionCode;
use serde_json::json;

use crate::app::audit;
use crate::app::audit::check::RecordFault;
use crate::domain::actor::ActorId;
use crate::store::{self, Db, Engine, StoreError, migrations};

pub use file::Manifest;
pub use finish::Restored;

/// Why there is no backup, or nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The disk.
    #[error("{what}")]
    Io {
        /// What was done to which file.
        what: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The output is there already.
    #[error("--out：{0} 已存在，不覆盖 / {0} exists and is not written over")]
    Exists(PathBuf),
    /// There is nothing to copy.
    #[error("database.url：{0} 不存在 / {0} does not exist")]
    NoDatabase(PathBuf),
    /// Not one of our files.
    #[error("--from：不是备份文件（{0}） / not a backup: {0}")]
    NotABackup(&'static str),
    /// Its bytes are not what was written.
    #[error(
        "--from：备份已损坏（{0}），未恢复任何内容 / the backup is damaged ({0}); nothing was restored"
    )]
    Damaged(String),
    /// Its record is broken.
    #[error("--from：备份中的审计记录不完整（{}），未恢复任何内容 / the record in the backup is broken ({fault}); nothing was restored", .fault.zh())]
    Record {
        /// How.
        fault: RecordFault,
    },
    /// Made by a later program.
    #[error(
        "--from：备份由更新的程序制作（{0}），请用该程序恢复 / made by a newer program ({0}): restore it with that one"
    )]
    Newer(String),
    /// Of the other engine.
    #[error(
        "--from：备份来自 {of}，database.url 却是 {here} / a backup of {of}; database.url is {here}"
    )]
    OtherEngine {
        /// The backup's.
        of: String,
        /// The configuration's.
        here: &'static str,
    },
    /// Of another dispatcher.
    #[error(
        "--from：备份属于区划 {of}，本平台为 {here} / a backup of region {of}; this dispatcher speaks for {here}"
    )]
    OtherRegion {
        /// The backup's.
        of: RegionCode,
        /// The certificate's.
        here: RegionCode,
    },
    /// There is something in the place already.
    #[error(
        "database.url：数据库非空，未恢复任何内容。{zh} / the database is not empty; nothing was restored. {en}"
    )]
    Occupied {
        /// How to go on.
        zh: &'static str,
        /// The same in English.
        en: &'static str,
    },
    /// Somebody has the database open.
    #[error(
        "database.url：数据库正在使用，请先停止 dispatcher serve / the database is in use: stop `dispatcher serve` first"
    )]
    InUse,
    /// A program of PostgreSQL.
    #[error("{program}：{why} / {program}: {why}")]
    Tool {
        /// Which.
        program: &'static str,
        /// What it said.
        why: String,
    },
    /// A program of PostgreSQL is not there.
    #[error(
        "找不到 {0}：请安装 postgresql-client（apt-get install postgresql-client），或用 PostgreSQL 自带的方式备份 / {0} is not installed: apt-get install postgresql-client"
    )]
    NoTool(&'static str),
}

/// For `map_err`: what was done to which file.
fn failed<'w>(what: &'w str, path: &'w Path) -> impl FnOnce(io::Error) -> BackupError + 'w {
    move |source| BackupError::Io { what: format!("{what} {}", path.display()), source }
}

/// The folder in which a file lies.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    }
}

/// The name of an engine in a manifest.
fn engine_name(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "sqlite",
        Engine::Postgres => "postgres",
    }
}

/// Refuses a SQLite file that is not there, which connecting would make.
pub fn must_exist(url: &str) -> Result<(), BackupError> {
    match Engine::of(url)? {
        Engine::Postgres => Ok(()),
        Engine::Sqlite => {
            let path = store::sqlite_path(url);
            if path.is_file() { Ok(()) } else { Err(BackupError::NoDatabase(path)) }
        }
    }
}

/// Copies the database at `url` into the new file `out`, while others read and write. That it was
/// done, and by the machine's own hand, stands in the record and in the copy.
pub async fn take(
    url: &str,
    region: Option<RegionCode>,
    out: &Path,
    now: Timestamp,
) -> Result<Manifest, BackupError> {
    if out.exists() {
        return Err(BackupError::Exists(out.to_owned()));
    }
    must_exist(url)?;
    let folder = folder_of(out);
    let work = tempfile::Builder::new().prefix(".tongluo-backup-").tempdir_in(folder);
    let work = work.map_err(failed("make a folder in", folder))?;
    let payload = work.path().join("payload");
    let db = Db::connect(url, 1).await?;
    let mut tx = db.begin().await?;
    let applied = migrations::applied(&mut tx).await?;
    let name = out.file_name().map(|name| name.to_string_lossy().into_owned());
    let detail = json!({ "file": name });
    audit::append_as(&mut tx, now, ActorId::System, "database_backed_up", "database", &detail)
        .await?;
    tx.commit().await?;
    match db.engine() {
        Engine::Sqlite => sqlite::copy(&db, &payload).await?,
        Engine::Postgres => postgres::dump(url, &payload).await?,
    }
    let engine = engine_name(db.engine()).to_owned();
    db.close().await;
    let draft = file::Draft { engine, region, taken_at: now, applied };
    file::write(draft, &payload, work.path(), out)
}

/// Brings the database at `url` back from `from`. A SQLite database that is in its place is kept
/// beside it when `is_replacing`; otherwise it is refused.
pub async fn bring_back(
    url: &str,
    region: Option<RegionCode>,
    from: &Path,
    is_replacing: bool,
    now: Timestamp,
) -> Result<Restored, BackupError> {
    let engine = Engine::of(url)?;
    let backup = file::open(from)?;
    let manifest = backup.manifest();
    if manifest.engine != engine_name(engine) {
        let (of, here) = (manifest.engine.clone(), engine_name(engine));
        return Err(BackupError::OtherEngine { of, here });
    }
    if let (Some(of), Some(here)) = (manifest.region, region)
        && of != here
    {
        return Err(BackupError::OtherRegion { of, here });
    }
    let is_known = |file: &file::AppliedFile| {
        migrations::MIGRATIONS.iter().any(|known| known.number == file.number)
    };
    if let Some(unknown) = manifest.migrations.iter().find(|file| !is_known(file)) {
        return Err(BackupError::Newer(format!("{}, {}", manifest.program, unknown.name)));
    }
    match engine {
        Engine::Sqlite => sqlite::restore(url, backup, is_replacing, now).await,
        Engine::Postgres => postgres::restore(url, backup, now).await,
    }
}
