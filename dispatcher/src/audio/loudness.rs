//! Every clip is equally loud: −16 LUFS integrated (EBU R 128), true peak below −1 dBTP.

use std::collections::VecDeque;

use ebur128::{EbuR128, Mode};

use super::Pcm;

/// Integrated loudness of a clip.
pub(super) const TARGET_LUFS: f64 = -16.0;

/// Highest true peak of a clip.
pub(super) const PEAK_DBTP_MAX: f64 = -1.0;

/// What a sound is brought to before it is encoded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Goal {
    /// Integrated loudness.
    pub(super) lufs: f64,
    /// Highest true peak in dB relative to full scale.
    pub(super) ceiling_dbtp: f64,
}

impl Goal {
    /// A first guess: Opus overshoots peaks by one to two dB.
    pub(super) const FIRST: Self = Self { lufs: TARGET_LUFS, ceiling_dbtp: -2.5 };

    /// The goal that makes up for what encoding did, and nothing when the clip is good already.
    pub(super) fn after(self, decoded: Measured) -> Option<Self> {
        let missing = TARGET_LUFS - decoded.lufs;
        let excess = decoded.peak_dbtp - PEAK_DBTP_MAX;
        if !decoded.lufs.is_finite() || (missing.abs() <= 0.5 && excess <= 0.0) {
            return None;
        }
        let lower = if excess > 0.0 { excess + 0.2 } else { 0.0 };
        Some(Self { lufs: self.lufs + missing, ceiling_dbtp: self.ceiling_dbtp - lower })
    }
}

/// Gain that is added at most: what is fainter than this is noise, not speech.
const GAIN_DB_MAX: f64 = 36.0;

/// Rounds of gain and limiting; the limiter takes some loudness away.
const ROUNDS: usize = 6;

/// Samples on each side over which the limiter bends: 5 ms at 48 kHz.
const LIMITER_REACH: usize = 240;

/// Shorter sounds are measured as if repeated: EBU R 128 needs blocks of 400 ms.
const MEASURED_SECONDS_MIN: usize = 3;

/// Loudness and true peak of a sound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Measured {
    /// Integrated loudness; −∞ for silence.
    pub(super) lufs: f64,
    /// True peak in dB relative to full scale.
    pub(super) peak_dbtp: f64,
}

/// Brings the sound to the goal as nearly as its ceiling lets it. Silence stays silence.
pub(super) fn normalise(pcm: &mut Pcm, goal: Goal) -> Result<Measured, ebur128::Error> {
    let mut measured = measure(pcm)?;
    for _ in 0..ROUNDS {
        let is_near = (measured.lufs - goal.lufs).abs() < 0.1;
        if !measured.lufs.is_finite() || (is_near && measured.peak_dbtp <= goal.ceiling_dbtp) {
            break;
        }
        let gain = factor((goal.lufs - measured.lufs).clamp(-GAIN_DB_MAX, GAIN_DB_MAX));
        for sample in &mut pcm.samples {
            *sample *= gain;
        }
        // Peaks between the samples lie a little above them.
        limit(&mut pcm.samples, factor(goal.ceiling_dbtp - 0.3));
        measured = measure(pcm)?;
    }
    if measured.peak_dbtp > goal.ceiling_dbtp {
        let gain = factor(goal.ceiling_dbtp - measured.peak_dbtp);
        for sample in &mut pcm.samples {
            *sample *= gain;
        }
        measured = measure(pcm)?;
    }
    Ok(measured)
}

/// Measures the sound.
pub(super) fn measure(pcm: &Pcm) -> Result<Measured, ebur128::Error> {
    let mut meter = EbuR128::new(1, pcm.rate, Mode::I | Mode::TRUE_PEAK)?;
    let length = pcm.samples.len().max(1);
    let times = (MEASURED_SECONDS_MIN * pcm.rate as usize).div_ceil(length);
    for _ in 0..times.clamp(1, 64) {
        meter.add_frames_f32(&pcm.samples)?;
    }
    Ok(Measured { lufs: meter.loudness_global()?, peak_dbtp: 20.0 * meter.true_peak(0)?.log10() })
}

fn factor(db: f64) -> f32 {
    10_f64.powf(db / 20.0) as f32
}

/// Turns the gain down smoothly around every sample above `ceiling`: the least gain needed within
/// reach, averaged over the same reach, is never above what a sample needs.
fn limit(samples: &mut [f32], ceiling: f32) {
    let needed: Vec<f32> =
        samples.iter().map(|s| if s.abs() > ceiling { ceiling / s.abs() } else { 1.0 }).collect();
    if needed.iter().all(|gain| *gain >= 1.0) {
        return;
    }
    let least = sliding_minimum(&needed, LIMITER_REACH);
    let width = 2 * LIMITER_REACH + 1;
    // Place `i` of the padded signal is place `i - LIMITER_REACH` of `least`, its ends repeated.
    let at = |i: usize| f64::from(least[i.saturating_sub(LIMITER_REACH).min(least.len() - 1)]);
    let mut sum: f64 = (0..width).map(at).sum();
    for (i, sample) in samples.iter_mut().enumerate() {
        *sample *= (sum / width as f64) as f32;
        sum += at(i + width) - at(i);
    }
}

/// At each place the smallest value within `reach` on both sides.
fn sliding_minimum(values: &[f32], reach: usize) -> Vec<f32> {
    let mut candidates: VecDeque<usize> = VecDeque::new();
    let mut next = 0;
    let minimum = |i: usize| {
        while next < values.len() && next <= i + reach {
            while candidates.back().is_some_and(|last| values[*last] >= values[next]) {
                candidates.pop_back();
            }
            candidates.push_back(next);
            next += 1;
        }
        while candidates.front().is_some_and(|first| first + reach < i) {
            candidates.pop_front();
        }
        candidates.front().map_or(1.0, |first| values[*first])
    };
    (0..values.len()).map(minimum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(seconds: f32, level: f32) -> Pcm {
        let sample = |n: usize| level * (n as f32 * 0.13).sin();
        Pcm { rate: 48_000, samples: (0..(48_000.0 * seconds) as usize).map(sample).collect() }
    }

    #[test]
    fn loud_faint_and_short_sounds_come_out_equal() {
        for (seconds, level) in [(5.0, 0.9), (5.0, 0.02), (0.2, 0.3)] {
            let mut pcm = tone(seconds, level);
            let measured = normalise(&mut pcm, Goal::FIRST).expect("measurable");
            assert!((measured.lufs - TARGET_LUFS).abs() < 0.5, "{seconds} s: {measured:?}");
            assert!(measured.peak_dbtp <= Goal::FIRST.ceiling_dbtp + 1e-6, "{measured:?}");
        }
    }

    #[test]
    fn a_peaky_sound_is_limited_and_still_loud() {
        let mut pcm = tone(5.0, 0.05);
        for n in (0..pcm.samples.len()).step_by(4_000) {
            pcm.samples[n] = 1.0;
        }
        let measured = normalise(&mut pcm, Goal::FIRST).expect("measurable");
        assert!((measured.lufs - TARGET_LUFS).abs() < 1.0, "{measured:?}");
        assert!(measured.peak_dbtp <= Goal::FIRST.ceiling_dbtp + 1e-6, "{measured:?}");
    }

    #[test]
    fn silence_stays_silence() {
        let mut pcm = Pcm { rate: 48_000, samples: vec![0.0; 48_000] };
        normalise(&mut pcm, Goal::FIRST).expect("measurable");
        assert!(pcm.samples.iter().all(|sample| *sample == 0.0));
    }
}
