//! snapcast: a player of the same kind (a network, Opus, one sound card) that many people use, as
//! real processes in a folder of their own.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, anyhow};

use crate::harness::process::{Process, find, run};
use crate::harness::sound::PacedSink;
use crate::harness::{clock, ports};

/// A deadline that only a broken program reaches.
const DEADLINE: Duration = Duration::from_secs(20);

/// Bytes of a fifth of a second of stereo at 48 kHz, 16 bits.
const PIECE: usize = 48_000 / 5 * 4;

/// A server with one Opus stream, fed from a pipe.
pub(super) struct Server {
    port: u16,
    pipe: PathBuf,
    folder: PathBuf,
    _process: Process,
}

impl Server {
    /// Starts it below `folder`.
    pub(super) async fn start(folder: &Path) -> anyhow::Result<Self> {
        let folder = folder.join("snapcast");
        std::fs::create_dir_all(&folder).context("make the folder of snapcast")?;
        let pipe = folder.join("sound");
        run(Command::new(find("mkfifo")?).arg(&pipe))?;
        let port = ports::free()?;
        let config = folder.join("snapserver.conf");
        let text = format!(
            "[server]\ndatadir = {folder}\n[http]\nenabled = false\n[tcp]\nenabled = false\n\
             [stream]\nport = {port}\nbind_to_address = 127.0.0.1\n\
             source = pipe://{pipe}?name=gong&mode=read&sampleformat=48000:16:2&codec=opus\n\
             [logging]\nsink = stdout\n",
            folder = folder.display(),
            pipe = pipe.display(),
        );
        std::fs::write(&config, text).context("write the configuration of snapserver")?;
        let mut command = Command::new(find("snapserver")?);
        let mut process = Process::start("snapserver", &folder, command.arg("-c").arg(&config))?;
        clock::eventually("snapserver listens", DEADLINE, async || {
            process.check_alive()?;
            Ok(ports::is_open(port).then_some(()))
        })
        .await?;
        Ok(Self { port, pipe, folder, _process: process })
    }

    /// Starts a client that plays into `sink` as a node does, and waits until the
    /// server has answered it. Gives the time from its start to that line of its log, too.
    pub(super) async fn client(
        &self,
        sink: &PacedSink,
        number: usize,
    ) -> anyhow::Result<(Process, Duration)> {
        let mut command = Command::new(find("snapclient")?);
        command.args(["--host", "127.0.0.1", "--port", &self.port.to_string()]);
        command.args(["--player", "alsa", "--soundcard", "capture", "--logsink", "stdout"]);
        sink.capture(&mut command, &self.folder.join(format!("client-{number}.wav")))?;
        let name = format!("snapclient-{number}");
        let begun = clock::instant();
        let mut process = Process::start(&name, &self.folder, &mut command)?;
        until_log(&mut process, "ServerSettings").await?;
        Ok((process, begun.elapsed()))
    }

    /// Plays a tone until the answer is dropped.
    pub(super) fn play(&self) -> anyhow::Result<Tone> {
        let file = std::fs::File::options().write(true).open(&self.pipe);
        let mut pipe = file.context("open the pipe of snapserver")?;
        let is_over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&is_over);
        let writer = std::thread::spawn(move || {
            let tone = piece();
            // The pipe is full most of the time: the server reads in real time.
            while !seen.load(Ordering::Relaxed) {
                pipe.write_all(&tone).context("feed snapserver")?;
            }
            Ok(())
        });
        Ok(Tone { is_over, writer: Some(writer) })
    }
}

/// A tone that goes on.
pub(super) struct Tone {
    is_over: Arc<AtomicBool>,
    writer: Option<JoinHandle<anyhow::Result<()>>>,
}

impl Tone {
    /// Ends it; an error when the server did not take it all the while.
    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        self.is_over.store(true, Ordering::Relaxed);
        let writer = self.writer.take().context("a tone ends once")?;
        writer.join().map_err(|_| anyhow!("the writer of the tone panicked"))?
    }
}

fn piece() -> Vec<u8> {
    let step = std::f32::consts::TAU * 880.0 / 48_000.0;
    let sample = |n: usize| ((n as f32 * step).sin() * 8_000.0) as i16;
    (0..PIECE / 4).flat_map(|n| sample(n).to_le_bytes().repeat(2)).collect()
}

/// Waits until a line of a process's log says so; looks every millisecond.
pub(super) async fn until_log(process: &mut Process, words: &str) -> anyhow::Result<()> {
    let begun = clock::instant();
    while !process.log().contains(words) {
        process.check_alive()?;
        anyhow::ensure!(begun.elapsed() < DEADLINE, "no {words:?} in:\n{}", process.log());
        clock::pause(Duration::from_millis(1)).await;
    }
    Ok(())
}
