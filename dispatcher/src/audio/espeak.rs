//! espeak-ng as a child process: its licence stays at arm's length and a crash stays its own.

use std::io::{Cursor, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use hound::{SampleFormat, WavReader};
use protocols::speech::SpeechRequest;

use super::{Pcm, Speech, SpeechError};
use crate::voice::Need;

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

    /// The program, behind every other process of the machine unless somebody waits for it.
    fn command(&self, need: Need) -> Command {
        match need {
            Need::Now => Command::new(&self.program),
            Need::Soon | Need::Idle => {
                let mut command = Command::new("nice");
                command.args(["-n", "19"]).arg(&self.program);
                command
            }
        }
    }

    fn run(&self, request: &SpeechRequest, need: Need) -> Result<Vec<u8>, SpeechError> {
        let start =
            |source| SpeechError::Start { program: self.program.display().to_string(), source };
        let child = self
            .command(need)
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

    fn synthesize(&self, language: &str, text: &str, need: Need) -> Result<Pcm, SpeechError> {
        let request = SpeechRequest::for_text(language, text)
            .ok_or_else(|| SpeechError::NoVoice { language: language.to_owned() })?;
        let pcm = read(&self.run(&request, need)?)?;
        if pcm.samples.iter().all(|sample| *sample == 0.0) {
            return Err(SpeechError::NoSound { reason: "only silence" });
        }
        Ok(pcm)
    }
}

const NO_WAVE: SpeechError = SpeechError::NoSound { reason: "not a 16-bit mono WAV" };

/// The sound of a WAV whose header was written before its length was known: data runs to the end,
/// whatever the header says.
fn read(bytes: &[u8]) -> Result<Pcm, SpeechError> {
    let reader = WavReader::new(Cursor::new(bytes)).map_err(|_| NO_WAVE)?;
    let format = reader.spec();
    let is_ours = format.channels == 1
        && (format.bits_per_sample, format.sample_format) == (16, SampleFormat::Int);
    if !is_ours {
        return Err(NO_WAVE);
    }
    let samples = reader.into_samples::<i16>().map_while(Result::ok);
    let samples = samples.map(|sample| f32::from(sample) / 32_768.0).collect();
    Ok(Pcm { rate: format.sample_rate, samples })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_runs_to_the_end_whatever_the_header_says() {
        let mut bytes = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
        bytes.extend(22_050_u32.to_le_bytes());
        bytes.extend(44_100_u32.to_le_bytes());
        bytes.extend(b"\x02\0\x10\0data\xfe\xff\xff\x7f\0\x40\0\xc0");
        let pcm = read(&bytes).expect("a WAV");
        assert_eq!(pcm, Pcm { rate: 22_050, samples: vec![0.5, -0.5] });
        for end in 0..44 {
            assert!(read(&bytes[..end]).is_err(), "cut at {end}");
        }
    }
}
