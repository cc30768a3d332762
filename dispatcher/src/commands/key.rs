//! `dispatcher key …`: roots, delegations, renewals and revocation lists are made far from any
//! serving machine. `serve` reads only the dispatcher's own key, its certificate and the roots'
//! public halves; `key import-revocations` brings a list to it.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use kill_points::kill_point;
use protocols::certificate::RevocationList;
use protocols::region::RegionCode;
use protocols::trust::{self, Roots};
use protocols::wire::{KeyId, SigningKey};
use zeroize::Zeroizing;

use super::print;
use crate::app::revocations::{self, Imported};
use crate::config::Config;
use crate::context::{Signer, read_key, read_roots};
use crate::domain::actor::Actor;
use crate::domain::fault::Fault;
use crate::domain::keys::{Delegation, Renewal, delegate, next_list, renew, seal_list};
use crate::ports::Ports;
use crate::store::Db;

/// What is made.
#[derive(Debug, clap::Subcommand)]
pub enum KeyCommand {
    /// Make the active root and the spare: two private files, and `roots.pub` for terminals and
    /// dispatchers. Keep the private files apart from each other and from every network.
    Root {
        /// The folder, made when absent; nothing in it is written over.
        #[arg(long)]
        out: PathBuf,
    },
    /// Make a dispatcher's key and the certificate under which it speaks for a region.
    Delegate {
        /// The private file of a root.
        #[arg(long)]
        root: PathBuf,
        /// The region that it may speak for: 12 digits.
        #[arg(long)]
        region: RegionCode,
        /// The dispatcher's name, for people.
        #[arg(long)]
        name: String,
        /// Days of validity, at most 400.
        #[arg(long, default_value_t = 400)]
        days: i64,
        /// The folder, made when absent; nothing in it is written over.
        #[arg(long)]
        out: PathBuf,
    },
    /// Make the next certificate of a dispatcher, from half of the old one's life on. A serving
    /// dispatcher takes the files up where the old ones lay; nothing is interrupted.
    Rotate(Rotate),
    /// Make the next revocation list: the last one and these keys besides.
    Revoke(Revoke),
    /// Bring a revocation list to this dispatcher, which tells its terminals.
    ImportRevocations {
        /// The list that `key revoke` made.
        file: PathBuf,
    },
}

/// Which certificate follows which.
#[derive(Debug, clap::Args)]
pub struct Rotate {
    /// The private file of a root: the active one or the spare.
    #[arg(long)]
    root: PathBuf,
    /// Public keys of both roots; `roots.pub` beside the private file when absent.
    #[arg(long)]
    roots: Option<PathBuf>,
    /// The certificate that is followed.
    #[arg(long)]
    certificate: PathBuf,
    /// Make a new key too: after a loss, or by habit. Otherwise the key stays.
    #[arg(long)]
    new_key: bool,
    /// Before half of its life is over.
    #[arg(long)]
    early: bool,
    /// Days of validity, at most 400.
    #[arg(long, default_value_t = 400)]
    days: i64,
    /// The folder, made when absent; nothing in it is written over.
    #[arg(long)]
    out: PathBuf,
}

/// Which keys count no more.
#[derive(Debug, clap::Args)]
pub struct Revoke {
    /// The private file of a root: the active one or the spare.
    #[arg(long)]
    root: PathBuf,
    /// Public keys of both roots; `roots.pub` beside the private file when absent.
    #[arg(long)]
    roots: Option<PathBuf>,
    /// The last list. Without it the number would begin anew.
    #[arg(long, required_unless_present = "first", conflicts_with = "first")]
    last: Option<PathBuf>,
    /// There was never a list under these roots.
    #[arg(long)]
    first: bool,
    /// A certificate whose key is revoked.
    #[arg(long)]
    certificate: Vec<PathBuf>,
    /// A key by its name: 16 hexadecimal digits.
    #[arg(long)]
    key: Vec<String>,
    /// The new list. A file that is there is replaced only by a list of a higher number.
    #[arg(long)]
    out: PathBuf,
}

/// Makes it.
pub async fn run(
    config: impl FnOnce() -> Result<Config, crate::config::ConfigError>,
    command: &KeyCommand,
) -> anyhow::Result<ExitCode> {
    let ports = Ports::system();
    match command {
        KeyCommand::Root { out } => make_roots(&ports, out),
        KeyCommand::Delegate { root, region, name, days, out } => {
            let (seed, key) = new_key(&ports);
            let delegation = Delegation {
                serial: u64::from_be_bytes(ports.bytes()),
                public_key: key.verifying_key(),
                region: *region,
                name: name.clone(),
                days: *days,
            };
            let sealed = match delegate(&read_key(root)?, &delegation, ports.now()) {
                Ok(sealed) => sealed,
                Err(faults) => return Ok(refused(faults)),
            };
            write_pair(out, Some(&seed), &sealed)?;
            print(&format!("{region}, {days} d, {}", key.key_id()))?;
            Ok(ExitCode::SUCCESS)
        }
        KeyCommand::Rotate(rotate) => make_next_certificate(&ports, rotate),
        KeyCommand::Revoke(revoke) => make_next_list(&ports, revoke),
        KeyCommand::ImportRevocations { file } => import(&ports, &config()?, file).await,
    }
}

fn refused(faults: Vec<Fault>) -> ExitCode {
    for fault in faults {
        let field = fault.pointer.trim_start_matches('/');
        eprintln!("dispatcher: --{field}: {} / {}", fault.zh, fault.en);
    }
    ExitCode::FAILURE
}

fn make_roots(ports: &Ports, out: &Path) -> anyhow::Result<ExitCode> {
    make_folder(out)?;
    let files = ["root-active.key", "root-spare.key", "roots.pub"].map(|name| out.join(name));
    refuse_present(&files)?;
    let (active_seed, active) = new_key(ports);
    let (spare_seed, spare) = new_key(ports);
    let public = [("active", &active), ("spare", &spare)].map(|(what, key)| {
        format!("{} # {what} {}\n", hex::encode(key.verifying_key().to_bytes()), key.key_id())
    });
    write_new(&files[0], 0o600, active_seed.as_bytes())?;
    write_new(&files[1], 0o600, spare_seed.as_bytes())?;
    write_new(&files[2], 0o644, public.concat().as_bytes())?;
    for file in &files {
        print(&file.display().to_string())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn make_next_certificate(ports: &Ports, rotate: &Rotate) -> anyhow::Result<ExitCode> {
    let (root, roots) = root_and_roots(&rotate.root, rotate.roots.as_deref())?;
    let old = read_certificate(&rotate.certificate, &roots)?;
    let new = rotate.new_key.then(|| new_key(ports));
    let renewal = Renewal {
        serial: u64::from_be_bytes(ports.bytes()),
        new_key: new.as_ref().map(|(_, key)| key.verifying_key()),
        days: rotate.days,
        is_early: rotate.early,
    };
    let sealed = match renew(&root, &old, renewal, ports.now()) {
        Ok(sealed) => sealed,
        Err(faults) => return Ok(refused(faults)),
    };
    write_pair(&rotate.out, new.as_ref().map(|(seed, _)| seed), &sealed)?;
    let days = rotate.days;
    print(&format!("{}, {days} d; the old one counts until {}", old.region, old.not_after))?;
    Ok(ExitCode::SUCCESS)
}

fn make_next_list(ports: &Ports, revoke: &Revoke) -> anyhow::Result<ExitCode> {
    let (root, roots) = root_and_roots(&revoke.root, revoke.roots.as_deref())?;
    let last = revoke.last.as_deref().map(|file| read_list(file, &roots)).transpose()?;
    let mut keys = revoke.key.iter().map(|key| key_id(key)).collect::<anyhow::Result<Vec<_>>>()?;
    for file in &revoke.certificate {
        let certificate = read_certificate(file, &roots)?;
        let key = protocols::wire::VerifyingKey::from_bytes(&certificate.public_key)?;
        keys.push(key.key_id());
    }
    let list = match next_list(last.as_ref(), &keys, ports.now()) {
        Ok(list) => list,
        Err(faults) => return Ok(refused(faults)),
    };
    if revoke.out.exists() {
        let there = read_list(&revoke.out, &roots)?;
        ensure!(
            there.number < list.number,
            "--out: {} 已是第 {} 号，不能退回第 {} 号 / it has number {} already and {} would go back",
            revoke.out.display(),
            there.number,
            list.number,
            there.number,
            list.number
        );
    }
    replace(&revoke.out, &seal_list(&root, &list))?;
    let out = revoke.out.display();
    print(&format!("{out}: list {}, {} keys", list.number, list.keys.len()))?;
    Ok(ExitCode::SUCCESS)
}

async fn import(ports: &Ports, config: &Config, file: &Path) -> anyhow::Result<ExitCode> {
    let sealed = read_bounded(file)?;
    let roots = read_roots(&config.trust.roots_file)?;
    let signer = Signer::load(&config.trust)?;
    let db = Db::open(&config.database.url, config.database.connections).await?;
    let mut tx = db.begin().await?;
    let (actor, region) = (Actor::system(), signer.region());
    let own = Some(signer.key_id());
    let imported =
        revocations::import(&mut tx, ports, &actor, &sealed, &roots, region, own).await?;
    kill_point!("revocations.importing");
    tx.commit().await?;
    kill_point!("revocations.imported");
    db.close().await;
    let (list, what) = match &imported {
        Imported::New(list) => (list, "imported"),
        Imported::Known(list) => (list, "known already"),
    };
    print(&format!("list {}, {} keys: {what}", list.number, list.keys.len()))?;
    if list.keys.contains(&signer.key_id()) {
        eprintln!(
            "dispatcher: 本平台的密钥已被吊销，不再签发；用 key rotate --new-key 更换 / this \
             dispatcher's own key is revoked and signs nothing more: `key rotate --new-key`"
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// A root's private half, and the public halves of both, of which it must be one.
fn root_and_roots(root: &Path, roots: Option<&Path>) -> anyhow::Result<(SigningKey, Roots)> {
    let beside = root.with_file_name("roots.pub");
    let roots = read_roots(roots.unwrap_or(&beside)).context("--roots")?;
    let root = read_key(root)?;
    let is_one = roots.keys().iter().any(|key| key.key_id() == root.key_id());
    ensure!(is_one, "--root: 该密钥不在根公钥之列 / {} is none of the roots", root.key_id());
    Ok((root, roots))
}

fn read_certificate(
    file: &Path,
    roots: &Roots,
) -> anyhow::Result<protocols::certificate::Certificate> {
    let sealed = read_bounded(file)?;
    trust::open_certificate(&sealed, roots)
        .with_context(|| format!("--certificate: {} is not one of these roots'", file.display()))
}

fn read_list(file: &Path, roots: &Roots) -> anyhow::Result<RevocationList> {
    let sealed = read_bounded(file)?;
    trust::open_revocations(&sealed, roots)
        .with_context(|| format!("{} is not a revocation list of these roots", file.display()))
}

/// A sealed file, no larger than any sealed message is.
fn read_bounded(file: &Path) -> anyhow::Result<Vec<u8>> {
    let max = protocols::limits::MESSAGE_BYTES_MAX as u64;
    let length = std::fs::metadata(file).with_context(|| format!("read {}", file.display()))?.len();
    ensure!(length <= max, "{}: {length} bytes, at most {max}", file.display());
    std::fs::read(file).with_context(|| format!("read {}", file.display()))
}

fn key_id(text: &str) -> anyhow::Result<KeyId> {
    let mut key = KeyId([0; 8]);
    if hex::decode_to_slice(text, &mut key.0).is_err() {
        bail!("--key: {text:?} 须为 16 位十六进制数 / a key's name is 16 hexadecimal digits");
    }
    Ok(key)
}

/// A fresh key and its seed as it stands in a file.
fn new_key(ports: &Ports) -> (Zeroizing<String>, SigningKey) {
    let seed = Zeroizing::new(ports.bytes::<32>());
    let text = Zeroizing::new(hex::encode(*seed));
    (Zeroizing::new(format!("{}\n", *text)), SigningKey::from_seed(&seed))
}

/// A dispatcher's certificate, and its key where there is a new one.
fn write_pair(out: &Path, seed: Option<&Zeroizing<String>>, sealed: &[u8]) -> anyhow::Result<()> {
    make_folder(out)?;
    let (key, certificate) = (out.join("dispatcher.key"), out.join("dispatcher.cert"));
    let mut files = vec![certificate.clone()];
    files.extend(seed.map(|_| key.clone()));
    refuse_present(&files)?;
    if let Some(seed) = seed {
        write_new(&key, 0o600, seed.as_bytes())?;
        print(&key.display().to_string())?;
    }
    write_new(&certificate, 0o644, sealed)?;
    print(&certificate.display().to_string())
}

/// The folder, for its owner alone where it is made here.
fn make_folder(out: &Path) -> anyhow::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(out)
        .with_context(|| format!("--out: make {}", out.display()))
}

/// Asked before anything is written, so that nothing is half made.
fn refuse_present(files: &[PathBuf]) -> anyhow::Result<()> {
    for file in files {
        ensure!(
            !file.exists(),
            "--out: {} 已存在，不会覆盖 / it is there already and is not written over",
            file.display()
        );
    }
    Ok(())
}

fn write_new(path: &Path, mode: u32, bytes: &[u8]) -> anyhow::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .with_context(|| format!("make {}", path.display()))?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .with_context(|| format!("write {}", path.display()))
}

/// Writes beside the old file and puts the new one in its place: never half a list.
fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    let mut file = tempfile::NamedTempFile::new_in(folder)
        .with_context(|| format!("write in {}", folder.display()))?;
    file.write_all(bytes)
        .and_then(|()| file.as_file().sync_all())
        .with_context(|| format!("write {}", path.display()))?;
    file.persist(path).with_context(|| format!("write {}", path.display()))?;
    Ok(())
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;
