//! `dispatcher backup` and `dispatcher restore`.

use std::path::PathBuf;
use std::process::ExitCode;

use protocols::region::RegionCode;
use protocols::trust;

use super::print;
use crate::backup;
use crate::config::Config;
use crate::context::read_roots;
use crate::ports::Ports;

/// Arguments of `backup`.
#[derive(Debug, clap::Args)]
pub struct BackupArguments {
    /// The new file. It holds password hashes and second factors: keep it as you keep keys.
    #[arg(long)]
    out: PathBuf,
}

/// Arguments of `restore`.
#[derive(Debug, clap::Args)]
pub struct RestoreArguments {
    /// The file that `dispatcher backup` made.
    #[arg(long)]
    from: PathBuf,
    /// Put it in the place of a SQLite database that is not empty; the old one is kept beside it.
    #[arg(long)]
    replace: bool,
}

/// Copies the database into one file.
pub async fn back_up(config: Config, arguments: BackupArguments) -> anyhow::Result<ExitCode> {
    let now = Ports::system().now();
    let url = &config.database.url;
    let manifest = backup::take(url, region(&config), &arguments.out, now).await?;
    let (out, bytes) = (arguments.out.display(), manifest.bytes);
    print(&format!("ok      {out}（{bytes} 字节 / bytes），SHA-256 {}", manifest.sha256))?;
    print(
        "note    不含签名密钥、证书、根公钥和配置，请另行保管 / signing keys, certificates, roots \
         and configuration are not in it: keep them apart",
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Brings the database back.
pub async fn restore(config: Config, arguments: RestoreArguments) -> anyhow::Result<ExitCode> {
    let now = Ports::system().now();
    let url = &config.database.url;
    let (from, replace) = (&arguments.from, arguments.replace);
    let restored = backup::bring_back(url, region(&config), from, replace, now).await?;
    let (taken_at, epoch) = (restored.manifest.taken_at, restored.epoch);
    print(&format!(
        "ok      已恢复到 {taken_at}，各流进入第 {epoch} 纪元 / restored as of {taken_at}; every \
         stream goes on in epoch {epoch}"
    ))?;
    if let Some(kept) = restored.kept {
        let kept = kept.display();
        print(&format!("note    原数据库保留为 / the old database is kept as {kept}"))?;
    }
    print(&format!(
        "note    已结束 {} 个会话、{} 个注册码 / {} sessions and {} enrolment codes were ended",
        restored.sessions, restored.codes, restored.sessions, restored.codes
    ))?;
    print(&format!(
        "note    {taken_at} 之后的账号、授权、令牌、规则变动须重做；其后发布的预警本平台不再知晓，\
         终端会播到失效，如须停止请用“停播” / what changed in accounts, grants, tokens and rules \
         after {taken_at} must be done again; alerts issued after it are not known here and sound \
         until they expire: a stop silences them"
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// The region of this dispatcher, where its certificate is at hand: a backup of another one is
/// refused by it.
fn region(config: &Config) -> Option<RegionCode> {
    let roots = read_roots(&config.trust.roots_file).ok()?;
    let sealed = std::fs::read(&config.trust.certificate_file).ok()?;
    Some(trust::open_certificate(&sealed, &roots).ok()?.region)
}
