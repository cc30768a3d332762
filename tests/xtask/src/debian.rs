//! What is needed from Debian, and how it is installed without starting a single daemon.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

/// One package and the sign that it (or the same thing from elsewhere) is here.
pub(crate) struct Package {
    name: &'static str,
    sign: Sign,
}

enum Sign {
    /// A program on the PATH or in one of [`PROGRAM_FOLDERS`].
    Program(&'static str),
    /// A library that pkg-config finds.
    Library(&'static str),
    /// A file below one of the library folders.
    Plugin(&'static str),
}

/// Folders where Debian keeps servers that are not on everybody's PATH.
const PROGRAM_FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/local/sbin", "/usr/lib/postgresql", "/sbin"];

const COMPILER: Package = Package { name: "g++", sign: Sign::Program("g++") };
const CMAKE: Package = Package { name: "cmake", sign: Sign::Program("cmake") };
const PKG_CONFIG: Package = Package { name: "pkg-config", sign: Sign::Program("pkg-config") };
const ALSA: Package = Package { name: "libasound2-dev", sign: Sign::Library("alsa") };
const ALSA_PULSE: Package = Package {
    name: "libasound2-plugins",
    sign: Sign::Plugin("alsa-lib/libasound_module_pcm_pulse.so"),
};
const PULSEAUDIO: Package = Package { name: "pulseaudio", sign: Sign::Program("pulseaudio") };
const PULSEAUDIO_UTILS: Package =
    Package { name: "pulseaudio-utils", sign: Sign::Program("paplay") };
const SNAPCLIENT: Package = Package { name: "snapclient", sign: Sign::Program("snapclient") };
const SNAPSERVER: Package = Package { name: "snapserver", sign: Sign::Program("snapserver") };
const ESPEAK: Package = Package { name: "espeak-ng", sign: Sign::Program("espeak-ng") };
const POSTGRESQL: Package = Package { name: "postgresql", sign: Sign::Program("initdb") };
const MOSQUITTO: Package = Package { name: "mosquitto", sign: Sign::Program("mosquitto") };
const NATS: Package = Package { name: "nats-server", sign: Sign::Program("nats-server") };
// The vendor's terminal of the suite `conformance`.
const PYTHON_MQTT: Package =
    Package { name: "python3-paho-mqtt", sign: Sign::Plugin("python3/dist-packages/paho") };
const PYTHON_CBOR: Package =
    Package { name: "python3-cbor2", sign: Sign::Plugin("python3/dist-packages/cbor2") };
const PYTHON_CRYPTOGRAPHY: Package = Package {
    name: "python3-cryptography",
    sign: Sign::Plugin("python3/dist-packages/cryptography"),
};
const XMLLINT: Package = Package { name: "libxml2-utils", sign: Sign::Program("xmllint") };
const OPENSSL: Package = Package { name: "openssl", sign: Sign::Program("openssl") };

/// For building, and for the demo's sound.
pub(crate) const DEMO: &[Package] =
    &[COMPILER, CMAKE, PKG_CONFIG, ALSA, ALSA_PULSE, PULSEAUDIO, ESPEAK];

/// For every suite.
pub(crate) const TEST: &[Package] = &[
    COMPILER,
    CMAKE,
    PKG_CONFIG,
    ALSA,
    ALSA_PULSE,
    PULSEAUDIO,
    ESPEAK,
    POSTGRESQL,
    MOSQUITTO,
    NATS,
    XMLLINT,
    PYTHON_MQTT,
    PYTHON_CBOR,
    PYTHON_CRYPTOGRAPHY,
    OPENSSL,
];

/// For the figures: what they stand beside, too.
pub(crate) const BENCH: &[Package] = &[
    COMPILER,
    CMAKE,
    PKG_CONFIG,
    ALSA,
    ALSA_PULSE,
    PULSEAUDIO,
    PULSEAUDIO_UTILS,
    ESPEAK,
    POSTGRESQL,
    SNAPCLIENT,
    SNAPSERVER,
];

/// Installs what is missing, when this user may; otherwise says the one line that does.
pub(crate) fn install(packages: &[Package]) -> anyhow::Result<()> {
    let missing = packages.iter().filter(|package| !package.is_here()).map(|p| p.name);
    let missing = missing.collect::<Vec<_>>();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    let Some(root) = as_root() else {
        bail!(
            "missing packages; please run:\n  sudo apt-get install --no-install-recommends {names}"
        );
    };
    eprintln!("xtask: installing {names}");
    let _guard = NoDaemons::begin(&root)?;
    // The first try spares the index; a stale or absent one is renewed.
    if !apt(&root, &["install", "--yes", "--no-install-recommends"], &missing)? {
        apt(&root, &["update"], &[])?;
        if !apt(&root, &["install", "--yes", "--no-install-recommends"], &missing)? {
            bail!("apt-get could not install: {names}");
        }
    }
    Ok(())
}

impl Package {
    fn is_here(&self) -> bool {
        match self.sign {
            Sign::Program(name) => find_program(name).is_some(),
            Sign::Library(name) => is_ok(Command::new("pkg-config").args(["--exists", name])),
            Sign::Plugin(path) => {
                ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib"]
                    .iter()
                    .any(|folder| Path::new(folder).join(path).exists())
            }
        }
    }
}

/// The program on the PATH, in a server folder, or in the newest PostgreSQL's.
fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    std::env::split_paths(&path)
        .chain(PROGRAM_FOLDERS.iter().map(PathBuf::from))
        .chain(versions.map(|version| version.path().join("bin")))
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}

/// The words before a command that make it run as root: none, or `sudo -n`; `None` when neither
/// works.
fn as_root() -> Option<Vec<&'static str>> {
    let id = Command::new("id").arg("-u").output().ok()?;
    if id.stdout.trim_ascii() == b"0" {
        return Some(Vec::new());
    }
    is_ok(Command::new("sudo").args(["-n", "true"])).then(|| vec!["sudo", "-n"])
}

fn is_ok(command: &mut Command) -> bool {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

fn rooted(root: &[&str], program: &str) -> Command {
    match root.split_first() {
        None => Command::new(program),
        Some((first, rest)) => {
            let mut command = Command::new(first);
            command.args(rest).arg(program);
            command
        }
    }
}

fn apt(root: &[&str], words: &[&str], names: &[&str]) -> anyhow::Result<bool> {
    let status = rooted(root, "env")
        .args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"])
        .args(words)
        .args(names)
        .stdin(Stdio::null())
        .status()
        .context("run apt-get")?;
    Ok(status.success())
}

/// While it lives, packages may not start services: Debian asks `/usr/sbin/policy-rc.d`, which
/// answers 101, "forbidden". One that was there before is left alone.
struct NoDaemons<'r> {
    root: &'r [&'static str],
    is_ours: bool,
}

const POLICY: &str = "/usr/sbin/policy-rc.d";

impl<'r> NoDaemons<'r> {
    fn begin(root: &'r [&'static str]) -> anyhow::Result<Self> {
        if Path::new(POLICY).exists() {
            return Ok(Self { root, is_ours: false });
        }
        let script = format!("printf '#!/bin/sh\\nexit 101\\n' > {POLICY} && chmod 755 {POLICY}");
        let status =
            rooted(root, "sh").args(["-c", &script]).status().context("write policy-rc.d")?;
        if !status.success() {
            bail!("could not write {POLICY}; without it packages would start their services");
        }
        Ok(Self { root, is_ours: true })
    }
}

impl Drop for NoDaemons<'_> {
    fn drop(&mut self) {
        if self.is_ours && !is_ok(rooted(self.root, "rm").args(["-f", POLICY])) {
            eprintln!("xtask: please remove {POLICY}");
        }
    }
}
