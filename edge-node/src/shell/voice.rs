//! The local voice: espeak-ng as a child process, the floor under every other way of speaking.
//!
//! What it is told (voice, pace, pinyin) is decided by [`protocols::speech`]; here it is started,
//! fed, timed and bounded. A crash of it, or its licence, stays on its side of the pipe.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use super::audio::resample::Resampled;
use super::audio::wav;

/// Longest synthesis. A hundred seconds of speech take a tenth of a second on a desktop and two
/// seconds on the smallest device.
pub const VOICE_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of WAV that are read at most: three minutes at 22,050 Hz and 16 bit.
pub const WAV_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Why nothing was said.
#[derive(Debug, thiserror::Error)]
pub enum VoiceError {
    /// No voice speaks this language, or nothing in the text can be said.
    #[error("there is no voice for language {0}")]
    NoVoice(String),
    /// It is not installed, or can't be started.
    #[error("{program} can't be started: {source}")]
    Start {
        /// Which program.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// It broke off.
    #[error("the voice broke off: {0}")]
    Broke(String),
    /// It took longer than [`VOICE_TIMEOUT`].
    #[error("the voice took longer than {} s", VOICE_TIMEOUT.as_secs())]
    Slow,
}

/// What the program is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Arguments.
    pub args: Vec<String>,
    /// Standard input.
    pub input: String,
}

/// Speaks into memory. The child is killed when the future is dropped.
pub async fn speak(program: &str, request: Request) -> Result<Resampled, VoiceError> {
    let wav = tokio::time::timeout(VOICE_TIMEOUT, run(program, request))
        .await
        .map_err(|_| VoiceError::Slow)??;
    let pcm = wav::read(&wav).map_err(|error| VoiceError::Broke(error.to_string()))?;
    if pcm.samples.is_empty() {
        return Err(VoiceError::Broke("it gave no sound".to_owned()));
    }
    Resampled::new(pcm).map_err(|error| VoiceError::Broke(error.to_string()))
}

async fn run(program: &str, request: Request) -> Result<Vec<u8>, VoiceError> {
    let mut child = Command::new(program)
        .args(&request.args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|source| VoiceError::Start { program: program.to_owned(), source })?;
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(VoiceError::Broke("its pipes are missing".to_owned()));
    };
    let broke = |error: std::io::Error| VoiceError::Broke(error.to_string());
    let mut wav = Vec::new();
    let mut bounded = stdout.take(WAV_BYTES_MAX);
    let write = async {
        stdin.write_all(request.input.as_bytes()).await?;
        drop(stdin);
        Ok(())
    };
    let ((), _) = tokio::try_join!(write, bounded.read_to_end(&mut wav)).map_err(broke)?;
    drop(bounded);
    let status = child.wait().await.map_err(broke)?;
    if !status.success() && wav.len() as u64 != WAV_BYTES_MAX {
        return Err(VoiceError::Broke(format!("it ended with {status}")));
    }
    Ok(wav)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Request {
        Request { args: vec!["-c".into(), script.into()], input: "ni3 hao3".into() }
    }

    #[tokio::test]
    async fn a_missing_program_is_named() {
        let error = speak("no-such-voice", sh("true")).await.err().expect("not installed");
        assert!(error.to_string().contains("no-such-voice"), "{error}");
    }

    #[tokio::test]
    async fn a_program_that_fails_or_writes_rubbish_is_an_error() {
        assert!(speak("sh", sh("cat >/dev/null; exit 3")).await.is_err());
        assert!(speak("sh", sh("cat >/dev/null; echo not a wav")).await.is_err());
        assert!(speak("sh", sh("cat >/dev/null; head -c 9000000 /dev/zero")).await.is_err());
    }
}
