//! A second ear: what a sound card really puts out, and when, by the harness's own clock. It knows
//! nothing of what the node that plays believes of itself.
//!
//! PulseAudio's monitor of a sink gives its samples as they are played. No sample can arrive before
//! it was played, so the least delayed of all readings dates the whole recording.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use jiff::{SignedDuration, Timestamp};

use super::clock;
use super::process::find;
use super::sound::PacedSink;
use super::wav::{RATE, SILENT_PEAK};

/// Silence after which sound counts as a new onset: speech pauses for less.
const PAUSE_SAMPLES: usize = RATE as usize;

/// How far the monitor may lag behind the sink.
const LATENCY: Duration = Duration::from_millis(10);

/// Bytes read at once; a reading is some milliseconds.
const READ_BYTES: usize = 4_096;

/// A running recording. Dropping it ends it.
pub struct Monitor {
    recorder: Child,
    reader: Option<JoinHandle<anyhow::Result<Heard>>>,
}

/// What was heard so far.
#[derive(Debug, Default)]
struct Heard {
    samples: usize,
    quiet: usize,
    /// Samples at which sound began.
    onsets: Vec<usize>,
    /// When sample 0 was played, at the latest.
    origin: Option<Timestamp>,
}

impl Monitor {
    /// Listens to the sink of this name.
    pub fn start(server: &PacedSink, sink: &str) -> anyhow::Result<Self> {
        let mut recorder = Command::new(find("parec")?)
            .args(["--raw", "--format=s16le", "--channels=1"])
            .arg(format!("--rate={RATE}"))
            .arg(format!("--latency-msec={}", LATENCY.as_millis()))
            .arg(format!("--device={sink}.monitor"))
            .env("PULSE_SERVER", server.address())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("start parec")?;
        let mut out = recorder.stdout.take().context("parec has an output")?;
        let reader = std::thread::spawn(move || {
            let mut heard = Heard { quiet: PAUSE_SAMPLES, ..Heard::default() };
            let (mut bytes, mut kept) = ([0; READ_BYTES], 0);
            loop {
                let count = out.read(&mut bytes[kept..]).context("read from parec")?;
                if count == 0 {
                    return Ok(heard);
                }
                let whole = (kept + count) & !1;
                heard.take(&bytes[..whole], clock::now())?;
                bytes.copy_within(whole..kept + count, 0);
                kept = kept + count - whole;
            }
        });
        Ok(Self { recorder, reader: Some(reader) })
    }

    /// Ends the recording and says when sound began, each time after a second of silence.
    pub fn finish(mut self) -> anyhow::Result<Vec<Timestamp>> {
        self.recorder.kill().context("end parec")?;
        let reader = self.reader.take().context("a recording ends once")?;
        let heard = reader.join().map_err(|_| anyhow!("the reader of the monitor panicked"))??;
        let origin = heard.origin.context("the monitor gave nothing")?;
        heard.onsets.iter().map(|sample| Ok(origin.checked_add(length(*sample))?)).collect()
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        // Gone already is as good as killed.
        let _ = self.recorder.kill();
        let _ = self.recorder.wait();
    }
}

impl Heard {
    fn take(&mut self, bytes: &[u8], now: Timestamp) -> anyhow::Result<()> {
        for pair in bytes.chunks_exact(2) {
            let sample = f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0;
            if sample.abs() <= SILENT_PEAK {
                self.quiet += 1;
            } else {
                if self.quiet >= PAUSE_SAMPLES {
                    self.onsets.push(self.samples);
                }
                self.quiet = 0;
            }
            self.samples += 1;
        }
        let origin = now.checked_sub(length(self.samples))?;
        self.origin = Some(self.origin.map_or(origin, |earlier| earlier.min(origin)));
        Ok(())
    }
}

fn length(samples: usize) -> SignedDuration {
    SignedDuration::from_secs_f64(samples as f64 / f64::from(RATE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_delayed_reading_dates_the_onsets() {
        let second = |loud: bool| {
            let sample: i16 = if loud { 8_000 } else { 0 };
            sample.to_le_bytes().repeat(RATE as usize)
        };
        let begun = Timestamp::UNIX_EPOCH;
        let after = |millis: i64| begun + SignedDuration::from_millis(millis);
        let mut heard = Heard::default();
        for (bytes, at) in [(second(false), 1_300), (second(true), 2_010), (second(false), 3_400)] {
            heard.take(&bytes, after(at)).expect("in the calendar");
        }
        assert_eq!(heard.onsets, [RATE as usize]);
        assert_eq!(heard.origin, Some(after(10)));
    }
}
