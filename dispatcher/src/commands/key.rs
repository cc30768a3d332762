//! `dispatcher key root` and `key delegate`: made far from any serving machine. `serve` reads only
//! the dispatcher's own key, its certificate and the roots' public halves.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use protocols::region::RegionCode;
use protocols::wire::SigningKey;
use zeroize::Zeroizing;

use crate::context::read_key;
use crate::domain::keys::{Delegation, delegate};
use crate::ports::Ports;

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
}

/// Makes it.
pub fn run(command: &KeyCommand) -> anyhow::Result<ExitCode> {
    let ports = Ports::system();
    match command {
        KeyCommand::Root { out } => {
            make_roots(&ports, out)?;
            Ok(ExitCode::SUCCESS)
        }
        KeyCommand::Delegate { root, region, name, days, out } => {
            let root = read_key(root)?;
            let (seed, key) = new_key(&ports);
            let delegation = Delegation {
                serial: u64::from_be_bytes(ports.bytes()),
                public_key: key.verifying_key(),
                region: *region,
                name: name.clone(),
                days: *days,
            };
            let sealed = match delegate(&root, &delegation, ports.now()) {
                Ok(sealed) => sealed,
                Err(faults) => {
                    for fault in faults {
                        let field = fault.pointer.trim_start_matches('/');
                        eprintln!("dispatcher: --{field}: {} / {}", fault.zh, fault.en);
                    }
                    return Ok(ExitCode::FAILURE);
                }
            };
            make_folder(out)?;
            let files = [out.join("dispatcher.key"), out.join("dispatcher.cert")];
            refuse_present(&files)?;
            write_new(&files[0], 0o600, seed.as_bytes())?;
            write_new(&files[1], 0o644, &sealed)?;
            say(&format!("{} ({})", files[0].display(), key.key_id()))?;
            say(&format!("{} ({region}, {days} d)", files[1].display()))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn make_roots(ports: &Ports, out: &Path) -> anyhow::Result<()> {
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
        say(&file.display().to_string())?;
    }
    Ok(())
}

/// A fresh key and its seed as it stands in a file.
fn new_key(ports: &Ports) -> (Zeroizing<String>, SigningKey) {
    let seed = Zeroizing::new(ports.bytes::<32>());
    (Zeroizing::new(format!("{}\n", hex::encode(*seed))), SigningKey::from_seed(&seed))
}

fn make_folder(out: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(out).with_context(|| format!("--out: make {}", out.display()))
}

/// Asked before anything is written, so that nothing is half made.
fn refuse_present(files: &[PathBuf]) -> anyhow::Result<()> {
    for file in files {
        anyhow::ensure!(
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

fn say(line: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::config::trust::TrustConfig;
    use crate::context::Signer;

    #[test]
    fn what_the_two_commands_make_a_dispatcher_can_serve_with_and_nothing_is_written_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = KeyCommand::Root { out: folder.path().join("roots") };
        run(&root).expect("made");
        let delegate = KeyCommand::Delegate {
            root: folder.path().join("roots/root-active.key"),
            region: "350200000000".parse().expect("a code"),
            name: "厦门市".to_owned(),
            days: 30,
            out: folder.path().join("data"),
        };
        run(&delegate).expect("made");
        let config = TrustConfig {
            key_file: folder.path().join("data/dispatcher.key"),
            certificate_file: folder.path().join("data/dispatcher.cert"),
            roots_file: folder.path().join("roots/roots.pub"),
        };
        let signer = Signer::load(&config).expect("usable");
        assert_eq!(signer.region().to_string(), "350200000000");
        assert_eq!(signer.roots().keys().len(), 2);
        for private in ["roots/root-active.key", "roots/root-spare.key", "data/dispatcher.key"] {
            let mode = std::fs::metadata(folder.path().join(private)).expect("there").permissions();
            assert_eq!(mode.mode() & 0o777, 0o600, "{private}");
        }
        assert!(run(&root).is_err() && run(&delegate).is_err(), "a second time");
    }
}
