//! A sound card that is a file: ALSA's `file` plugin in front of a PulseAudio null sink, so that
//! playing takes real time and every node leaves one WAV.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;

use super::clock;
use super::process::{Process, find};

const START_DEADLINE: Duration = Duration::from_secs(10);

/// Where ALSA's own configuration lies on Debian.
const ALSA_CONF: &str = "/usr/share/alsa/alsa.conf";

/// The sink of a node that has none of its own.
const COMMON: &str = "village";

/// A PulseAudio server with null sinks, private to a folder.
pub struct PacedSink {
    process: Process,
    socket: PathBuf,
    sinks: Vec<String>,
}

impl PacedSink {
    /// Starts it with one sink for all.
    pub async fn start(folder: &Path) -> anyhow::Result<Self> {
        Self::start_with(folder, &[]).await
    }

    /// Starts it with a sink for each of these villages besides, so that each can be listened to
    /// alone.
    pub async fn start_with(folder: &Path, villages: &[&str]) -> anyhow::Result<Self> {
        let socket = folder.join("pulse.native");
        let script = folder.join("pulse.pa");
        let own = villages.iter().map(|village| format!("{COMMON}-{village}"));
        let sinks = std::iter::once(COMMON.to_owned()).chain(own).collect::<Vec<_>>();
        let sink = |name: &String| {
            format!("load-module module-null-sink rate=48000 channels=2 sink_name={name}\n")
        };
        let text = format!(
            "load-module module-native-protocol-unix auth-anonymous=1 socket={}\n{}",
            socket.display(),
            sinks.iter().map(sink).collect::<String>()
        );
        std::fs::write(&script, text).context("write the PulseAudio script")?;
        let runtime = folder.join("pulse-runtime");
        std::fs::create_dir_all(&runtime).context("make the PulseAudio folder")?;
        let mut process = Process::start(
            "pulseaudio",
            folder,
            Command::new(find("pulseaudio")?)
                .args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--disallow-exit"])
                .args(["--use-pid-file=no", "-F"])
                .arg(&script)
                .env("XDG_RUNTIME_DIR", &runtime)
                .env("HOME", folder)
                .env_remove("DBUS_SESSION_BUS_ADDRESS"),
        )?;
        clock::eventually("PulseAudio opens its socket", START_DEADLINE, async || {
            process.check_alive()?;
            Ok(socket.exists().then_some(()))
        })
        .await?;
        Ok(Self { process, socket, sinks })
    }

    /// The sink into which a village plays.
    pub fn sink_of(&self, village: &str) -> &str {
        let own = self.sinks.iter().find(|sink| sink.ends_with(&format!("-{village}")));
        own.map_or(COMMON, String::as_str)
    }

    /// How clients reach the server.
    pub fn address(&self) -> String {
        format!("unix:{}", self.socket.display())
    }

    /// Lets `command` play into `wav` at real time. A card that is lost and opened again goes on in
    /// `wav.0001` and so on: nothing heard before is lost.
    pub fn capture(&self, command: &mut Command, wav: &Path) -> anyhow::Result<()> {
        self.capture_for(command, wav, COMMON)
    }

    /// As [`PacedSink::capture`], as the card of this village.
    pub fn capture_for(
        &self,
        command: &mut Command,
        wav: &Path,
        village: &str,
    ) -> anyhow::Result<()> {
        let text = format!(
            "<{ALSA_CONF}>\n\
             pcm.!default {{ type plug slave.pcm \"capture\" }}\n\
             pcm.capture {{ type file slave.pcm \"sink\" file \"{}\" format \"wav\" perm 0644 \
             truncate 0 }}\n\
             pcm.sink {{ type pulse device \"{}\" }}\n",
            wav.display(),
            self.sink_of(village)
        );
        configure(command, wav, &text)?;
        command.env("PULSE_SERVER", self.address());
        Ok(())
    }

    /// The server's process, to pause (a stalled card) or kill (a vanished one).
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}

/// Lets `command` play into `wav` as fast as it can: for what was played, never for when.
pub fn capture_unpaced(command: &mut Command, wav: &Path) -> anyhow::Result<()> {
    let text = format!(
        "<{ALSA_CONF}>\n\
         pcm.!default {{ type plug slave.pcm \"capture\" }}\n\
         pcm.capture {{ type file slave.pcm \"null\" file \"{}\" format \"wav\" perm 0644 }}\n",
        wav.display()
    );
    configure(command, wav, &text)
}

/// Gives `command` a machine without a sound card.
pub fn without_card(command: &mut Command, folder: &Path) -> anyhow::Result<()> {
    let text = format!("<{ALSA_CONF}>\npcm.capture {{ type hw card 77 }}\n");
    configure(command, &folder.join("none"), &text)
}

fn configure(command: &mut Command, wav: &Path, text: &str) -> anyhow::Result<()> {
    let file = wav.with_extension("alsa.conf");
    std::fs::write(&file, text).with_context(|| format!("write {}", file.display()))?;
    command.env("ALSA_CONFIG_PATH", file);
    // By name: a system-wide default may be put in front of ours.
    command.env("TONGLUO_EDGE__AUDIO__CARD", "capture");
    Ok(())
}
