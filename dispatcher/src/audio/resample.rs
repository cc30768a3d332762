//! Any rate to 48 kHz.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler as _};

use super::{CLIP_RATE, Pcm, SpeechError};

/// Input samples that are turned at once: long enough for a steep filter, short beside a clip.
const CHUNK: usize = 1_024;

const REFUSED: SpeechError =
    SpeechError::NoSound { reason: "its rate can't be turned into 48 kHz" };

/// `pcm` at [`CLIP_RATE`].
pub(super) fn to_clip_rate(pcm: Pcm) -> Result<Pcm, SpeechError> {
    if pcm.rate == CLIP_RATE || pcm.samples.is_empty() {
        return Ok(Pcm { rate: CLIP_RATE, samples: pcm.samples });
    }
    let (from, to) = (pcm.rate as usize, CLIP_RATE as usize);
    let mut resampler =
        Fft::<f32>::new(from, to, CHUNK, 1, FixedSync::Input).map_err(|_| REFUSED)?;
    let length = pcm.samples.len();
    let input = InterleavedSlice::new(&pcm.samples, 1, length).map_err(|_| REFUSED)?;
    let output = resampler.process_all(&input, length, None).map_err(|_| REFUSED)?;
    let mut samples = output.take_data();
    // Its length is reckoned in floating point and may be one too many.
    samples.truncate((length * to).div_ceil(from));
    Ok(Pcm { rate: CLIP_RATE, samples })
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    #[test]
    fn a_tone_keeps_its_pitch_its_level_and_its_length() {
        for rate in [16_000_u32, 22_050, 24_000, 44_100] {
            let tone =
                |rate: u32, n: usize| (2.0 * PI * 440.0 * n as f64 / f64::from(rate)).sin() as f32;
            let pcm = Pcm { rate, samples: (0..rate as usize).map(|n| tone(rate, n)).collect() };
            let out = to_clip_rate(pcm).expect("a known rate");
            assert_eq!(out.samples.len(), CLIP_RATE as usize);
            // The ends lack neighbours.
            for n in 1_000..47_000 {
                assert!((out.samples[n] - tone(CLIP_RATE, n)).abs() < 1e-3, "{rate} at {n}");
            }
        }
    }

    #[test]
    fn what_lies_above_the_old_band_is_not_made_up() {
        use realfft::RealFftPlanner;
        let rate = 22_050;
        let tone = |n: usize| (2.0 * PI * 9_000.0 * n as f64 / f64::from(rate)).sin() as f32;
        let pcm = Pcm { rate, samples: (0..rate as usize).map(tone).collect() };
        let out = to_clip_rate(pcm).expect("a known rate");
        let fft = RealFftPlanner::<f32>::new().plan_fft_forward(32_768);
        let mut window = out.samples[4_000..4_000 + 32_768].to_vec();
        let hann = |n: usize| 0.5 - 0.5 * (2.0 * PI * n as f64 / 32_768.0).cos() as f32;
        window.iter_mut().enumerate().for_each(|(n, sample)| *sample *= hann(n));
        let mut spectrum = fft.make_output_vec();
        fft.process(&mut window, &mut spectrum).expect("lengths fit");
        let bin = |hz: usize| hz * 32_768 / CLIP_RATE as usize;
        let peak = |range: &[realfft::num_complex::Complex<f32>]| {
            range.iter().map(|value| value.norm()).fold(0.0, f32::max)
        };
        let image = peak(&spectrum[bin(11_500)..]) / peak(&spectrum[bin(8_000)..bin(10_000)]);
        assert!(20.0 * image.log10() < -70.0, "images at {} dB", 20.0 * image.log10());
    }

    #[test]
    fn a_sound_of_a_few_samples_and_an_impossible_rate_are_no_panic() {
        let pcm = Pcm { rate: 22_050, samples: vec![0.5; 3] };
        assert_eq!(to_clip_rate(pcm).expect("a known rate").samples.len(), 7);
        assert!(to_clip_rate(Pcm { rate: 0, samples: vec![0.5] }).is_err());
        let empty = Pcm { rate: 22_050, samples: Vec::new() };
        assert!(to_clip_rate(empty).expect("nothing").samples.is_empty());
    }
}
