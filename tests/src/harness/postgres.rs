//! A PostgreSQL server of one's own: a free port, a temporary folder, a user that is not root.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::process::{Process, run};
use super::{clock, ports};

const START_DEADLINE: Duration = Duration::from_secs(30);

/// A running server.
pub struct Postgres {
    process: Process,
    port: u16,
    programs: PathBuf,
}

impl Postgres {
    /// Makes a cluster in `folder` and starts it. It trusts the machine not to lose power.
    pub async fn start(folder: &Path) -> anyhow::Result<Self> {
        Self::launch(folder, "fsync=off").await
    }

    /// As [`Postgres::start`], and what is committed is on disk.
    pub async fn start_durable(folder: &Path) -> anyhow::Result<Self> {
        Self::launch(folder, "fsync=on").await
    }

    async fn launch(folder: &Path, durability: &str) -> anyhow::Result<Self> {
        let programs = programs()?;
        let data = folder.join("postgres");
        std::fs::create_dir_all(&data).context("make the cluster's folder")?;
        if is_root()? {
            // The server refuses root; `nobody` must be able to reach and own its folder.
            run(Command::new("chown").arg("nobody").arg(&data))?;
            run(Command::new("chmod").arg("o+x").arg(folder))?;
        }
        run(as_nobody(&programs.join("initdb"))?
            .args(["--auth=trust", "--username=tongluo", "--encoding=UTF8", "--no-locale"])
            .args(["--no-sync", "-D"])
            .arg(&data))?;
        let port = ports::free()?;
        let mut process = Process::start(
            "postgres",
            folder,
            as_nobody(&programs.join("postgres"))?
                .args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="])
                .args(["-c", durability, "-p", &port.to_string(), "-D"])
                .arg(&data),
        )?;
        clock::eventually("PostgreSQL accepts connections", START_DEADLINE, async || {
            process.check_alive()?;
            let ready = Command::new(programs.join("pg_isready"))
                .args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()])
                .status();
            Ok(ready.is_ok_and(|status| status.success()).then_some(()))
        })
        .await?;
        Ok(Self { process, port, programs })
    }

    /// Makes an empty database and returns its URL.
    pub fn database(&self, name: &str) -> anyhow::Result<String> {
        run(Command::new(self.programs.join("createdb")).args([
            "-h",
            "127.0.0.1",
            "-p",
            &self.port.to_string(),
            "-U",
            "tongluo",
            name,
        ]))?;
        Ok(format!("postgres://tongluo@127.0.0.1:{}/{name}", self.port))
    }

    /// The server's process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}

/// The folder with initdb: on the PATH, or the newest of Debian's versions.
fn programs() -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut versions = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect::<Vec<_>>())
        .unwrap_or_default();
    versions.sort();
    versions
        .into_iter()
        .rev()
        .chain(std::env::split_paths(&path))
        .find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
        .context("PostgreSQL is not installed; `cargo xtask setup` installs it")
}

fn is_root() -> anyhow::Result<bool> {
    Ok(run(Command::new("id").arg("-u"))?.trim() == "0")
}

fn as_nobody(program: &Path) -> anyhow::Result<Command> {
    if !is_root()? {
        return Ok(Command::new(program));
    }
    let Some(program) = program.to_str() else { bail!("a path of PostgreSQL is not UTF-8") };
    let mut command = Command::new("setpriv");
    command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", program]);
    Ok(command)
}
