//! Listening by measurement: what a captured WAV contains, and when.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};

/// Samples a second that every capture here has.
pub const RATE: u32 = 48_000;

/// Length of one frame of analysis.
const FRAME: usize = (RATE / 50) as usize;

/// Below this peak a frame counts as silent: −54 dBFS, far under the quietest speech and far above
/// the dither of an idle device.
pub const SILENT_PEAK: f32 = 0.002;

/// One channel of sound.
#[derive(Debug, Clone)]
pub struct Sound {
    /// Samples, −1 to 1.
    pub samples: Vec<f32>,
}

/// A stretch that is not silent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch {
    /// Its first sample.
    pub begin: usize,
    /// The sample after its last.
    pub end: usize,
}

impl Stretch {
    /// How long it lasts.
    pub fn duration(&self) -> Duration {
        at(self.end - self.begin)
    }
}

/// The time of a sample from the beginning.
pub fn at(sample: usize) -> Duration {
    Duration::from_secs_f64(sample as f64 / f64::from(RATE))
}

/// The files of one capture: the first, and one more for each time the card was opened again.
pub fn parts(first: &Path) -> Vec<PathBuf> {
    let later = (1..).map(|number| PathBuf::from(format!("{}.{number:04}", first.display())));
    std::iter::once(first.to_owned()).chain(later).take_while(|path| path.exists()).collect()
}

/// Silence between two parts of a capture: longer than any pause of speech, and no claim about
/// how long the card was gone.
const BETWEEN_PARTS: usize = 3 * RATE as usize;

impl Sound {
    /// Reads a whole capture: the parts in which something was heard, divided by silence; the last
    /// part when nothing was heard in any. A card that fails at its first opening leaves a part
    /// without sound, which is left out, so that the capture begins where the node says.
    pub fn read_capture(first: &Path) -> anyhow::Result<Self> {
        let mut whole: Option<Self> = None;
        let mut silent = None;
        for part in parts(first) {
            let part = Self::read(&part)?;
            if part.first_sound(0).is_none() {
                silent = Some(part);
            } else if let Some(whole) = &mut whole {
                whole.samples.resize(whole.samples.len() + BETWEEN_PARTS, 0.0);
                whole.samples.extend(part.samples);
            } else {
                whole = Some(part);
            }
        }
        whole.or(silent).with_context(|| format!("there is no {}", first.display()))
    }

    /// Writes one channel of 16-bit PCM.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: RATE,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut file = hound::WavWriter::create(path, spec).context("create a WAV")?;
        for sample in &self.samples {
            file.write_sample((sample * 32_768.0) as i16).context("write a WAV")?;
        }
        file.finalize().context("finish a WAV")
    }

    /// Reads 16-bit PCM. The lengths in the header are not believed: a writer that was killed
    /// never filled them in.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let bytes = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
        if bytes.len() < 44 || &bytes[..4] != b"RIFF" || &bytes[8..16] != b"WAVEfmt " {
            bail!("{} is not a WAV", path.display());
        }
        let channels = usize::from(u16::from_le_bytes([bytes[22], bytes[23]]));
        let rate = u32::from_le_bytes([bytes[24], bytes[25], bytes[26], bytes[27]]);
        let bits = u16::from_le_bytes([bytes[34], bytes[35]]);
        if channels == 0 || rate != RATE || bits != 16 {
            bail!("{}: {channels} channels, {rate} Hz, {bits} bits", path.display());
        }
        let samples = bytes[44..]
            .chunks_exact(2 * channels)
            .map(|frame| f32::from(i16::from_le_bytes([frame[0], frame[1]])) / 32_768.0)
            .collect();
        Ok(Self { samples })
    }

    /// How long it is.
    pub fn duration(&self) -> Duration {
        at(self.samples.len())
    }

    /// The first sample that is not silent, at or after `from`.
    pub fn first_sound(&self, from: usize) -> Option<usize> {
        let rest = self.samples.get(from..)?;
        rest.iter().position(|s| s.abs() > SILENT_PEAK).map(|offset| from + offset)
    }

    /// The greatest absolute sample.
    pub fn peak(&self) -> f32 {
        self.samples.iter().fold(0.0, |peak, s| peak.max(s.abs()))
    }

    /// Runs of three or more samples at full scale: clipping.
    pub fn clipped_runs(&self) -> usize {
        self.samples.windows(3).filter(|run| run.iter().all(|s| s.abs() > 0.999)).count()
    }

    /// Stretches of sound, where silence of less than `gap` does not divide.
    pub fn stretches(&self, gap: Duration) -> Vec<Stretch> {
        let gap = (gap.as_secs_f64() * f64::from(RATE)) as usize;
        let mut stretches: Vec<Stretch> = Vec::new();
        for (index, frame) in self.samples.chunks(FRAME).enumerate() {
            if frame.iter().all(|s| s.abs() <= SILENT_PEAK) {
                continue;
            }
            let begin = index * FRAME;
            let end = begin + frame.len();
            match stretches.last_mut() {
                Some(last) if begin - last.end <= gap => last.end = end,
                Some(_) | None => stretches.push(Stretch { begin, end }),
            }
        }
        stretches
    }

    /// The share of frames in a stretch whose energy sits in a few narrow lines, as a tone's does
    /// and speech's does not. 0 to 1.
    pub fn tonality(&self, stretch: Stretch) -> f64 {
        let frames = self.samples[stretch.begin..stretch.end].chunks_exact(TONE_WINDOW);
        let tonal = frames.clone().filter(|frame| is_tonal(frame)).count();
        tonal as f64 / frames.len().max(1) as f64
    }

    /// Root mean square of a stretch.
    pub fn rms(&self, stretch: Stretch) -> f32 {
        let part = &self.samples[stretch.begin..stretch.end];
        (part.iter().map(|s| s * s).sum::<f32>() / part.len().max(1) as f32).sqrt()
    }
}

/// 43 ms: a line of 23 Hz.
const TONE_WINDOW: usize = 2_048;

fn is_tonal(frame: &[f32]) -> bool {
    use realfft::RealFftPlanner;
    let mut planner = RealFftPlanner::<f32>::new();
    let transform = planner.plan_fft_forward(TONE_WINDOW);
    let mut windowed = frame
        .iter()
        .enumerate()
        .map(|(i, s)| {
            let phase = std::f32::consts::TAU * i as f32 / TONE_WINDOW as f32;
            s * (0.5 - 0.5 * phase.cos())
        })
        .collect::<Vec<_>>();
    let mut spectrum = transform.make_output_vec();
    transform.process(&mut windowed, &mut spectrum).expect("both buffers have the planned length");
    let mut power =
        spectrum.iter().map(realfft::num_complex::Complex::norm_sqr).collect::<Vec<_>>();
    let total = power.iter().sum::<f32>();
    // A Hann window spreads one line over three bins: two lines and their neighbours.
    power.sort_by(|a, b| b.total_cmp(a));
    total > 1e-6 && power.iter().take(8).sum::<f32>() / total > 0.9
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(seconds: f32, hz: f32) -> Vec<f32> {
        let samples = (seconds * RATE as f32) as usize;
        let step = std::f32::consts::TAU * hz / RATE as f32;
        (0..samples).map(|i| 0.3 * (i as f32 * step).sin()).collect()
    }

    #[test]
    fn a_sine_is_tonal_and_noise_is_not() {
        let mut samples = sine(1.0, 880.0);
        let tone = Stretch { begin: 0, end: samples.len() };
        let mut state = 1_u32;
        samples.extend((0..RATE).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state as f32 / u32::MAX as f32 * 0.4 - 0.2
        }));
        let noise = Stretch { begin: tone.end, end: samples.len() };
        let sound = Sound { samples };
        assert!(sound.tonality(tone) > 0.95);
        assert!(sound.tonality(noise) < 0.05);
    }

    #[test]
    fn silence_divides_stretches_only_when_it_is_long_enough() {
        let mut samples = sine(0.5, 440.0);
        samples.extend(vec![0.0; RATE as usize / 2]);
        samples.extend(sine(0.5, 440.0));
        let sound = Sound { samples };
        assert_eq!(sound.stretches(Duration::from_millis(300)).len(), 2);
        assert_eq!(sound.stretches(Duration::from_millis(700)).len(), 1);
    }
}
