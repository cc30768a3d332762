//! Every clip is equally loud: −16 LUFS integrated (EBU R 128), true peak below −1 dBTP.

use std::collections::VecDeque;

use ebur128::{EbuR128, Mode};

use super::Pcm;

/// Integrated loudness of a clip.
pub(super) const TARGET_LUFS: f64 = -16.0;

/// Highest sample of a clip before it is encoded, in dB relative to full scale: between the samples
/// and through Opus peaks rise, and what a terminal decodes stays below −1 dBTP.
const CEILING_DB: f64 = -4.0;

/// Gain that is added at most: what is fainter than this is noise, not speech.
const GAIN_DB_MAX: f64 = 36.0;

/// Corrections of the gain: the limiter takes some loudness away.
const ROUNDS: usize = 6;

/// A correction smaller than this is not heard.
const NEAR_DB: f64 = 0.2;

/// Samples on each side over which the limiter bends: 5 ms at 48 kHz.
const LIMITER_REACH: usize = 240;

/// Shorter sounds are measured as if repeated: EBU R 128 needs blocks of 400 ms.
const MEASURED_SECONDS_MIN: usize = 3;

/// Brings the sound to the target as nearly as the ceiling lets it. Silence stays silence.
pub(super) fn normalise(pcm: &mut Pcm) -> Result<(), ebur128::Error> {
    let original = pcm.samples.clone();
    let mut gain_db = 0.0;
    for round in 0..ROUNDS {
        let missing_db = TARGET_LUFS - measure(pcm)?;
        // What is as loud as it should be may still have peaks, so that one round is always done.
        let is_near = round > 0 && missing_db.abs() < NEAR_DB;
        if !missing_db.is_finite() || is_near {
            break;
        }
        gain_db = f64::clamp(gain_db + missing_db, -GAIN_DB_MAX, GAIN_DB_MAX);
        let gain = factor(gain_db);
        for (sample, original) in pcm.samples.iter_mut().zip(&original) {
            *sample = original * gain;
        }
        limit(&mut pcm.samples, factor(CEILING_DB));
    }
    Ok(())
}

/// Integrated loudness in LUFS; −∞ for silence.
pub(super) fn measure(pcm: &Pcm) -> Result<f64, ebur128::Error> {
    metered(pcm, Mode::I)?.loudness_global()
}

fn metered(pcm: &Pcm, mode: Mode) -> Result<EbuR128, ebur128::Error> {
    let mut meter = EbuR128::new(1, pcm.rate, mode)?;
    let length = pcm.samples.len().max(1);
    let times = (MEASURED_SECONDS_MIN * pcm.rate as usize).div_ceil(length);
    for _ in 0..times.clamp(1, 64) {
        meter.add_frames_f32(&pcm.samples)?;
    }
    Ok(meter)
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

/// True peak in dB relative to full scale.
#[cfg(test)]
pub(super) fn true_peak(pcm: &Pcm) -> f64 {
    let meter = metered(pcm, Mode::TRUE_PEAK).expect("measurable");
    20.0 * meter.true_peak(0).expect("a channel").log10()
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
            normalise(&mut pcm).expect("measurable");
            let lufs = measure(&pcm).expect("measurable");
            assert!((lufs - TARGET_LUFS).abs() < 0.5, "{seconds} s: {lufs} LUFS");
        }
    }

    #[test]
    fn a_peaky_sound_is_limited_and_still_loud() {
        let mut pcm = tone(5.0, 0.05);
        for n in (0..pcm.samples.len()).step_by(4_000) {
            pcm.samples[n] = 1.0;
        }
        normalise(&mut pcm).expect("measurable");
        let lufs = measure(&pcm).expect("measurable");
        assert!((lufs - TARGET_LUFS).abs() < 1.0, "{lufs} LUFS");
        let highest = pcm.samples.iter().fold(0.0_f32, |highest, sample| highest.max(sample.abs()));
        assert!(highest <= factor(CEILING_DB) + 1e-6, "{highest}");
    }

    #[test]
    fn silence_stays_silence() {
        let mut pcm = Pcm { rate: 48_000, samples: vec![0.0; 48_000] };
        normalise(&mut pcm).expect("measurable");
        assert!(pcm.samples.iter().all(|sample| *sample == 0.0));
    }
}
