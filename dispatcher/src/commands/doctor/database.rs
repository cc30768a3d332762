//! The database: can it be written, are its tables up to date, does it know the region, is the key
//! on the revocation list in it?

use std::path::Path;

use jiff::Timestamp;

use super::{Check, trust, words};
use crate::config::Config;
use crate::context::Signer;
use crate::store::{self, Conn, Db, Engine, StoreError, migrations};

/// What is to be said, and when the newest entry of the record was made.
pub(super) async fn checks(
    config: &Config,
    signer: Option<&Signer>,
) -> (Vec<Check>, Option<Timestamp>) {
    let url = &config.database.url;
    if let Err(check) = folder(url) {
        return (vec![check], None);
    }
    let db = match Db::connect(url, config.database.connections).await {
        Ok(db) => db,
        Err(error) => {
            let text = words(&error);
            let check = Check::broken(
                "database",
                format!("数据库无法连接: {text}；检查 database.url"),
                format!("not reachable: {text}; see database.url"),
            );
            return (vec![check], None);
        }
    };
    let checks = tables(&db, signer).await;
    let newest = newest(&db).await.unwrap_or_default();
    db.close().await;
    (checks, newest)
}

/// The folder of a database that is a file must take files: its log lies beside it.
fn folder(url: &str) -> Result<(), Check> {
    let Ok(Engine::Sqlite) = Engine::of(url) else { return Ok(()) };
    let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
    let path = Path::new(path.split('?').next().unwrap_or(path));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let probe = folder.join(format!(".doctor-{}", std::process::id()));
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::File::create_new(&probe))
        .and_then(|_| std::fs::remove_file(&probe));
    written.map_err(|error| {
        let folder = folder.display();
        Check::broken(
            "data folder",
            format!(
                "{folder} 不可写: {error}；用 chown 交给运行 dispatcher 的用户，或改 database.url"
            ),
            format!(
                "{folder} can't be written: {error}; `chown` it to the user of the dispatcher, or \
                 set database.url"
            ),
        )
    })
}

async fn tables(db: &Db, signer: Option<&Signer>) -> Vec<Check> {
    match migrations::pending(db).await {
        Ok(0) => {
            let good = Check::good("database", "数据库正常", "reachable, tables up to date");
            let mut checks = vec![good, regions(db, signer).await];
            if let Some(signer) = signer {
                checks.push(trust::revocations(db, signer).await);
            }
            checks
        }
        Ok(count) => vec![Check::broken(
            "database",
            format!("数据表落后 {count} 个升级；停掉旧版本，启动 dispatcher serve 即自动升级"),
            format!("{count} migrations behind: stop the old version and start `dispatcher serve`"),
        )],
        Err(error) => {
            let text = words(&error);
            vec![Check::broken(
                "database",
                format!("数据库不可用: {text}；检查 database.url"),
                format!("not usable: {text}; see database.url"),
            )]
        }
    }
}

async fn regions(db: &Db, signer: Option<&Signer>) -> Check {
    let found = match db.read().await {
        Ok(mut connection) => listed(&mut connection, signer).await,
        Err(error) => Err(error),
    };
    match (found, signer) {
        (Ok((0, _)), _) => Check::broken(
            "regions",
            "尚未导入区划；运行 dispatcher import regions",
            "none imported: `dispatcher import regions`",
        ),
        (Ok((_, false)), Some(signer)) => {
            let region = signer.region();
            Check::broken(
                "regions",
                format!(
                    "证书的区划代码 {region} 不在区划表中；用正确的代码重做 dispatcher key delegate，\
                     或用 dispatcher import regions --list 导入所在城市"
                ),
                format!(
                    "the certificate is for {region}, which is not in the list: `dispatcher key \
                     delegate` with the right code, or `dispatcher import regions --list` of its city"
                ),
            )
        }
        (Ok((count, _)), _) => {
            Check::good("regions", format!("已导入 {count} 个区划"), format!("{count} imported"))
        }
        (Err(error), _) => {
            let text = words(&error);
            Check::broken(
                "regions",
                format!("区划表无法读取: {text}；检查 database.url"),
                format!("not readable: {text}; see database.url"),
            )
        }
    }
}

/// How many regions there are, and whether the signer's is one of them.
async fn listed(connection: &mut Conn, signer: Option<&Signer>) -> Result<(i64, bool), StoreError> {
    let count = store::count_regions(connection).await?;
    let is_listed = match signer {
        Some(signer) => store::regions::get(connection, signer.region()).await?.is_some(),
        None => false,
    };
    Ok((count, is_listed))
}

async fn newest(db: &Db) -> Result<Option<Timestamp>, StoreError> {
    let mut connection = db.read().await?;
    let (seq, _) = store::audit::head(&mut connection).await?;
    let last = store::audit::after(&mut connection, seq - 1, 1).await?;
    Ok(last.first().map(|entry| entry.at))
}
