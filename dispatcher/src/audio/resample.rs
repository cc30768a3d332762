//! Any rate to 48 kHz by a windowed sinc, one set of coefficients a phase.

use std::f64::consts::PI;

use super::{CLIP_RATE, Pcm};

/// Input samples on each side of an output sample. 24 keep the images of speech below −80 dB.
const HALF_TAPS: usize = 24;

/// `pcm` at [`CLIP_RATE`].
pub(super) fn to_clip_rate(pcm: &Pcm) -> Pcm {
    if pcm.rate == CLIP_RATE || pcm.rate == 0 {
        return Pcm { rate: CLIP_RATE, samples: pcm.samples.clone() };
    }
    let divisor = gcd(pcm.rate, CLIP_RATE);
    let (step, phases) = ((pcm.rate / divisor) as usize, (CLIP_RATE / divisor) as usize);
    let cutoff = f64::from(CLIP_RATE.min(pcm.rate)) / f64::from(pcm.rate);
    let bank: Vec<Vec<f32>> =
        (0..phases).map(|phase| coefficients(phase as f64 / phases as f64, cutoff)).collect();
    let length = pcm.samples.len() * phases / step;
    let samples = (0..length).map(|n| {
        let position = n * step;
        let (at, phase) = (position / phases, position % phases);
        convolve(&pcm.samples, at, &bank[phase])
    });
    Pcm { rate: CLIP_RATE, samples: samples.collect() }
}

/// Coefficients for a point `fraction` of a sample after the middle, scaled to sum to 1.
fn coefficients(fraction: f64, cutoff: f64) -> Vec<f32> {
    let half = HALF_TAPS as f64;
    let tap = |i: usize| {
        let x = i as f64 - (half - 1.0) - fraction;
        let sinc = if x.abs() < 1e-9 { 1.0 } else { (PI * x * cutoff).sin() / (PI * x * cutoff) };
        let place = (x / half).clamp(-1.0, 1.0);
        let window = 0.42 + 0.5 * (PI * place).cos() + 0.08 * (2.0 * PI * place).cos();
        sinc * window
    };
    let taps: Vec<f64> = (0..2 * HALF_TAPS).map(tap).collect();
    let sum: f64 = taps.iter().sum();
    taps.iter().map(|tap| (tap / sum) as f32).collect()
}

fn convolve(samples: &[f32], at: usize, taps: &[f32]) -> f32 {
    let start = (at + 1).checked_sub(HALF_TAPS);
    if let Some(window) = start.and_then(|start| samples.get(start..start + taps.len())) {
        return window.iter().zip(taps).map(|(sample, tap)| sample * tap).sum();
    }
    let sample = |i: usize| {
        (at + 1 + i).checked_sub(HALF_TAPS).and_then(|i| samples.get(i)).copied().unwrap_or(0.0)
    };
    taps.iter().enumerate().map(|(i, tap)| sample(i) * tap).sum()
}

const fn gcd(mut a: u32, mut b: u32) -> u32 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_keeps_its_pitch_its_level_and_its_length() {
        for rate in [16_000_u32, 22_050, 24_000, 44_100] {
            let tone =
                |rate: u32, n: usize| (2.0 * PI * 440.0 * n as f64 / f64::from(rate)).sin() as f32;
            let pcm = Pcm { rate, samples: (0..rate as usize).map(|n| tone(rate, n)).collect() };
            let out = to_clip_rate(&pcm);
            assert_eq!(out.samples.len(), CLIP_RATE as usize);
            // The ends lack neighbours.
            for n in 1_000..47_000 {
                assert!((out.samples[n] - tone(CLIP_RATE, n)).abs() < 1e-3, "{rate} at {n}");
            }
        }
    }
}
