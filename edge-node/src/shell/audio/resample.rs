//! From a speech program's rate to 48 kHz: a polyphase filter of 16 taps a phase (a windowed
//! sinc), exact in the ratio of the two rates. 22,050 → 48,000 is 320/147, a table of 20 kB.
//!
//! It reads its input as it goes: an hour of samples in, ten milliseconds out.

use std::f32::consts::PI;

use super::wav::Pcm;
use super::{RATE_HZ, Source};

/// Input samples that weigh in on one output sample.
const TAPS: usize = 16;

/// Phases of the largest table, 64 kB. Every common rate needs fewer; an odd one is refused.
const PHASES_MAX: u32 = 1_024;

/// The rate is not one that 48 kHz is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sample rate of {0} Hz is not supported")]
pub struct RateError(u32);

/// Plays samples of another rate at 48 kHz.
pub struct Resampled {
    samples: Vec<i16>,
    table: Vec<f32>,
    phases: u64,
    step: u64,
    /// Position in the input, in units of 1/phases.
    at: u64,
}

impl Resampled {
    /// Prepares the table for the rate of `pcm`.
    pub fn new(pcm: Pcm) -> Result<Self, RateError> {
        let Pcm { rate_hz, samples } = pcm;
        if !(8_000..=96_000).contains(&rate_hz) {
            return Err(RateError(rate_hz));
        }
        let divisor = gcd(rate_hz, RATE_HZ);
        let (phases, step) = (RATE_HZ / divisor, rate_hz / divisor);
        if phases > PHASES_MAX {
            return Err(RateError(rate_hz));
        }
        // Below the lower of the two rates, with room for the slope.
        let cutoff = 0.92 * (RATE_HZ as f32 / rate_hz as f32).min(1.0);
        Ok(Self {
            samples,
            table: table(phases, cutoff),
            phases: phases.into(),
            step: step.into(),
            at: 0,
        })
    }
}

impl Source for Resampled {
    fn read(&mut self, out: &mut [f32]) -> usize {
        for (n, sample) in out.iter_mut().enumerate() {
            let whole = (self.at / self.phases) as usize;
            if whole >= self.samples.len() {
                return n;
            }
            let phase = (self.at % self.phases) as usize;
            let taps = &self.table[phase * TAPS..(phase + 1) * TAPS];
            let mut sum = 0.0;
            for (i, tap) in taps.iter().enumerate() {
                let Some(index) = (whole + i + 1).checked_sub(TAPS / 2) else { continue };
                sum += tap * self.samples.get(index).map_or(0.0, |s| f32::from(*s));
            }
            *sample = (sum / 32_768.0).clamp(-1.0, 1.0);
            self.at += self.step;
        }
        out.len()
    }
}

fn table(phases: u32, cutoff: f32) -> Vec<f32> {
    let mut table = Vec::with_capacity(phases as usize * TAPS);
    for phase in 0..phases {
        let shift = phase as f32 / phases as f32;
        let taps: [f32; TAPS] = std::array::from_fn(|i| {
            let x = i as f32 + 1.0 - (TAPS / 2) as f32 - shift;
            let sinc =
                if x.abs() < 1e-6 { 1.0 } else { (PI * cutoff * x).sin() / (PI * cutoff * x) };
            let window = 0.5 + 0.5 * (PI * x / (TAPS as f32 / 2.0)).clamp(-PI, PI).cos();
            sinc * window
        });
        let sum: f32 = taps.iter().sum();
        table.extend(taps.iter().map(|tap| tap / sum));
    }
    table
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::audio::collect;

    fn sine(hz: f32, rate_hz: u32, n: usize) -> Pcm {
        let samples = (0..n)
            .map(|i| (2.0 * PI * hz * i as f32 / rate_hz as f32).sin() * 16_000.0)
            .map(|s| s as i16)
            .collect();
        Pcm { rate_hz, samples }
    }

    #[test]
    fn a_second_stays_a_second_and_a_kilohertz_a_kilohertz() {
        for rate_hz in [16_000, 22_050, 24_000, 44_100, 48_000] {
            let mut source =
                Resampled::new(sine(1_000.0, rate_hz, rate_hz as usize)).expect("known");
            let out = collect(&mut source);
            assert!(out.len().abs_diff(48_000) <= 2, "{rate_hz}: {}", out.len());
            let middle = &out[4_800..43_200];
            let rises = middle.windows(2).filter(|w| w[0] < 0.0 && w[1] >= 0.0).count();
            assert!(rises.abs_diff(800) <= 1, "{rate_hz}: {rises}");
            let peak = middle.iter().fold(0.0f32, |p, s| p.max(s.abs()));
            assert!((0.47..0.51).contains(&peak), "{rate_hz}: {peak}");
        }
    }

    #[test]
    fn a_rate_nobody_uses_is_refused() {
        assert!(Resampled::new(Pcm { rate_hz: 22_051, samples: vec![0] }).is_err());
        assert!(Resampled::new(Pcm { rate_hz: 0, samples: vec![0] }).is_err());
    }
}
