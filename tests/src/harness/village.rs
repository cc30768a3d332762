//! An edge node as a village has one: enrolled by code, run as a process, heard through its WAV.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;

use super::city::program;
use super::clock;
use super::process::{Process, run};
use super::sound::{self, PacedSink};
use super::terminal::Credentials;
use super::wav::{self, Sound};

/// Longest wait for a new stream of the sound server to move.
const CAPTURE_DEADLINE: Duration = Duration::from_secs(30);

/// Bytes of a capture that moves: a second of 16 bit on two channels, several buffers long.
const RUNNING_BYTES: u64 = 48_000 * 2 * 2;

/// Name of a node's configuration in its folder.
const CONFIG_FILE: &str = "edge-node.toml";

/// What sound card the node has.
pub enum Card<'s> {
    /// The machine's own.
    Real,
    /// A file, at real time.
    Paced(&'s PacedSink),
    /// A file, as fast as it goes.
    Unpaced,
    /// None.
    Absent,
}

/// A node in a folder of its own.
pub struct Village {
    /// Its terminal id.
    pub id: String,
    /// Its village.
    pub region: String,
    /// Where its sound is captured.
    pub wav: PathBuf,
    folder: PathBuf,
    config: PathBuf,
    process: Option<Process>,
}

impl Village {
    /// Enrols with `code`.
    pub fn enrol(folder: &Path, region: &str, code: &str) -> anyhow::Result<Self> {
        let printed = run(&mut Self::enrolment(folder, code)?)?;
        let id = printed
            .split(|c: char| !(c.is_ascii_digit() || c == '-'))
            .find(|word| word.len() == 17 && word.starts_with(region))
            .with_context(|| format!("enrol names the terminal: {printed}"))?;
        Ok(Self {
            id: id.to_owned(),
            region: region.to_owned(),
            wav: folder.join("sound.wav"),
            folder: folder.to_owned(),
            config: folder.join(CONFIG_FILE),
            process: None,
        })
    }

    /// Makes the folder with its configuration, and the command that enrols with `code`.
    pub fn enrolment(folder: &Path, code: &str) -> anyhow::Result<Command> {
        std::fs::create_dir_all(folder).context("make the node's folder")?;
        let config = folder.join(CONFIG_FILE);
        let text = format!(
            "[state]\ndir = \"{}\"\n[audio]\nkeep_open = true\n[clock]\ntrust = \"always\"\n\
             [self_test]\naudible_weekday = 0\n",
            folder.join("state").display()
        );
        std::fs::write(&config, text).context("write the node's configuration")?;
        let mut enrol = Command::new(program("edge-node")?);
        enrol.args(["enrol", "--code", code, "--config"]).arg(&config);
        Ok(enrol)
    }

    /// Starts `run` with this card.
    pub fn start(&mut self, card: &Card<'_>) -> anyhow::Result<()> {
        self.start_with(card, &[])
    }

    /// Starts `run` with this card and these variables in its environment.
    pub fn start_with(
        &mut self,
        card: &Card<'_>,
        environment: &[(&str, &str)],
    ) -> anyhow::Result<()> {
        // The capture is that of this process.
        for part in wav::parts(&self.wav) {
            std::fs::remove_file(&part).context("remove an earlier capture")?;
        }
        let mut command = Command::new(program("edge-node")?);
        command.arg("run").arg("--config").arg(&self.config);
        command.envs(environment.iter().copied());
        match card {
            Card::Real => {}
            Card::Paced(sink) => sink.capture_for(&mut command, &self.wav, &self.region)?,
            Card::Unpaced => sound::capture_unpaced(&mut command, &self.wav)?,
            Card::Absent => sound::without_card(&mut command, &self.folder)?,
        }
        self.process = Some(Process::start("edge-node", &self.folder, &mut command)?);
        Ok(())
    }

    /// The running process.
    pub fn process(&mut self) -> anyhow::Result<&mut Process> {
        self.process.as_mut().context("the node is not running")
    }

    /// Pulls its plug.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.process()?.kill()?;
        self.process = None;
        Ok(())
    }

    /// Ends it as a service manager does.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        self.process()?.terminate().await?;
        self.process = None;
        Ok(())
    }

    /// Waits until the paced card takes frames in real time. A new stream of the sound server may
    /// stand still for up to two seconds behind its first buffer, and says nothing of it.
    pub async fn until_capture_runs(&self) -> anyhow::Result<()> {
        clock::eventually("the capture runs", CAPTURE_DEADLINE, async || {
            let part = wav::parts(&self.wav).pop();
            let bytes = part.and_then(|part| std::fs::metadata(part).ok()).map_or(0, |it| it.len());
            Ok((bytes >= RUNNING_BYTES).then_some(()))
        })
        .await
    }

    /// What it has played so far.
    pub fn sound(&self) -> anyhow::Result<Sound> {
        Sound::read_capture(&self.wav)
    }

    /// Its password at the broker, as enrolment left it.
    pub fn mqtt_password(&self) -> anyhow::Result<String> {
        let file = self.folder.join("state/identity.json");
        let text = std::fs::read_to_string(&file).context("read the node's identity")?;
        let identity: serde_json::Value = serde_json::from_str(&text).context("read JSON")?;
        Ok(super::city::text(&identity, "mqtt_password")?.to_owned())
    }

    /// Its configuration, to be read by another command or changed before a start.
    pub fn config_file(&self) -> &Path {
        &self.config
    }

    /// Adds sections to its configuration; they count from the next start.
    pub fn configure(&self, sections: &str) -> anyhow::Result<()> {
        let text = std::fs::read_to_string(&self.config).context("read the configuration")?;
        std::fs::write(&self.config, text + sections).context("write the configuration")
    }

    /// What a client of another make needs to be this terminal at the broker.
    pub fn credentials(&self) -> anyhow::Result<Credentials> {
        Credentials::read(&self.folder.join("state"))
    }

    /// Everything that it logged so far, over all its starts.
    pub fn log(&self) -> String {
        let log = std::fs::read(self.folder.join("edge-node.log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }
}
