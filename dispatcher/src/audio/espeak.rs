//! espeak-ng as a child process: its licence stays at arm's length and a crash stays its own.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use protocols::speech::SpeechRequest;

use super::{Pcm, Speech, SpeechError, wave};

/// Seconds for one text. It speaks a hundred times faster than a person.
const SECONDS_MAX: u64 = 20;

/// Bytes of WAV for one text: six minutes at 22,050 Hz.
const WAVE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Rises when the same text is read in another way, so that clips are made anew.
const READING: u32 = 1;

/// The local voice.
#[derive(Debug, Clone)]
pub struct Espeak {
    program: PathBuf,
}

impl Espeak {
    /// The voice of this program, such as `espeak-ng` from the search path.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into() }
    }

    fn run(&self, request: &SpeechRequest) -> Result<Vec<u8>, SpeechError> {
        let start =
            |source| SpeechError::Start { program: self.program.display().to_string(), source };
        let child = Command::new(&self.program)
            .args(request.args())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(start)?;
        let mut child = Running(child);
        let (Some(mut input), Some(output)) = (child.0.stdin.take(), child.0.stdout.take()) else {
            return Err(SpeechError::NoSound { reason: "no pipe" });
        };
        let (done, result) = mpsc::sync_channel(1);
        let words = request.input.clone();
        // The thread ends with the child: dropping `child` kills it, which closes both pipes.
        std::thread::spawn(move || {
            let written = input.write_all(words.as_bytes());
            drop(input);
            let mut bytes = Vec::new();
            let read = output.take(WAVE_BYTES_MAX + 1).read_to_end(&mut bytes);
            // Nobody listens any more after the time-out.
            let _: Result<(), _> = done.send(written.and(read).map(|_| bytes));
        });
        let bytes = result
            .recv_timeout(Duration::from_secs(SECONDS_MAX))
            .map_err(|_| SpeechError::TimedOut { seconds: SECONDS_MAX })?
            .map_err(|_| SpeechError::NoSound { reason: "its pipe broke" })?;
        if bytes.len() as u64 > WAVE_BYTES_MAX {
            return Err(SpeechError::NoSound { reason: "too much of it" });
        }
        let is_well = child.0.wait().is_ok_and(|status| status.success());
        is_well.then_some(bytes).ok_or(SpeechError::NoSound { reason: "it failed" })
    }
}

impl Speech for Espeak {
    fn voice(&self, language: &str) -> Option<String> {
        // Any word shows which voice a language has.
        let request = SpeechRequest::for_text(language, "a")?;
        Some(format!("espeak-ng/{}/{}/{READING}", request.voice, request.words_per_minute))
    }

    fn synthesize(&self, language: &str, text: &str) -> Result<Pcm, SpeechError> {
        let request = SpeechRequest::for_text(language, text)
            .ok_or_else(|| SpeechError::NoVoice { language: language.to_owned() })?;
        let pcm = wave::read(&self.run(&request)?)?;
        if pcm.samples.iter().all(|sample| *sample == 0.0) {
            return Err(SpeechError::NoSound { reason: "only silence" });
        }
        Ok(pcm)
    }
}

/// A child that does not outlive its owner.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already in the good case; both calls then fail harmlessly.
        let _: Result<(), _> = self.0.kill();
        let _: Result<_, _> = self.0.wait();
    }
}
