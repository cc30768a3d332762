//! Text → clip: speech, 48 kHz, loudness, Ogg Opus, digest.

use protocols::digest::Digest;
use protocols::limits;
use protocols::order::ClipReference;

use super::opus_file::{self, OpusFileError};
use super::{CLIP_RATE, Pcm, Speech, SpeechError, loudness, resample};
use crate::voice::{Clip, Need};

/// Milliseconds of silence before the first word. The terminal plays a tone before it.
const LEAD_IN_MS: usize = 80;

/// Milliseconds of silence after the last word, so that two clips in a row do not run together.
const TAIL_MS: usize = 250;

/// Below this level (−60 dB) the ends count as silence and are cut.
const SILENCE: f32 = 0.001;

/// Why there is no clip.
#[derive(Debug, thiserror::Error)]
pub enum ClipError {
    /// The words were not spoken.
    #[error(transparent)]
    Speech(#[from] SpeechError),
    /// The loudness was not measured.
    #[error("measure the loudness")]
    Loudness(#[from] ebur128::Error),
    /// The file was not written.
    #[error(transparent)]
    File(#[from] OpusFileError),
    /// Larger than [`limits::CLIP_BYTES_MAX`].
    #[error("the clip has {bytes} bytes, more than a terminal takes")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
}

/// Makes the clip of `text`: spoken, measured and encoded once. Blocks.
pub fn make(
    speech: &dyn Speech,
    language: &str,
    text: &str,
    need: Need,
) -> Result<Clip, ClipError> {
    let spoken = speech.synthesize(language, text, need)?;
    let mut spoken = resample::to_clip_rate(trimmed(spoken))?;
    let samples_of = |ms: usize| ms * CLIP_RATE as usize / 1_000;
    let mut samples = vec![0.0; samples_of(LEAD_IN_MS)];
    samples.append(&mut spoken.samples);
    samples.resize(samples.len() + samples_of(TAIL_MS), 0.0);
    let mut sound = Pcm { rate: CLIP_RATE, samples };
    // As a terminal plays it, silence included.
    loudness::normalise(&mut sound)?;
    let bytes = opus_file::encode(&sound.samples)?;
    if bytes.len() > limits::CLIP_BYTES_MAX {
        return Err(ClipError::TooLarge { bytes: bytes.len() });
    }
    let reference = ClipReference {
        digest: Digest::of(&bytes),
        bytes: bytes.len() as u32,
        duration_ms: sound.duration_ms(),
    };
    Ok(Clip { bytes, reference })
}

/// The sound without the silence at its ends.
fn trimmed(mut pcm: Pcm) -> Pcm {
    let is_sound = |sample: &f32| sample.abs() > SILENCE;
    let end = pcm.samples.iter().rposition(is_sound).map_or(0, |last| last + 1);
    pcm.samples.truncate(end);
    let start = pcm.samples.iter().position(is_sound).unwrap_or(0);
    pcm.samples.drain(..start);
    pcm
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::Espeak;

    /// Highest true peak of what a terminal decodes.
    const PEAK_DBTP_MAX: f64 = -1.0;

    const TYPHOON: &str = "注意，台风红色预警，请立即转移到安全地点。";

    #[test]
    fn a_warning_by_the_real_voice_is_loud_enough_not_clipped_and_as_long_as_it_says() {
        let speech = Espeak::new("espeak-ng");
        for (language, text) in
            [("zh-CN", TYPHOON), ("en", "Move to a safe place now."), ("zh", "是。")]
        {
            let clip = make(&speech, language, text, Need::Now).expect("a clip");
            let back = opus_file::decode(&clip.bytes).expect("a clip");
            assert_eq!(back.duration_ms(), clip.reference.duration_ms);
            let lufs = loudness::measure(&back).expect("measurable");
            assert!((lufs - loudness::TARGET_LUFS).abs() <= 1.0, "{text}: {lufs} LUFS");
            let peak = loudness::true_peak(&back);
            assert!(peak <= PEAK_DBTP_MAX, "{text}: {peak} dBTP");
        }
    }

    #[test]
    fn twenty_syllables_take_between_four_and_ten_seconds() {
        let clip = make(&Espeak::new("espeak-ng"), "zh-CN", TYPHOON, Need::Idle).expect("a clip");
        assert!((4_000..10_000).contains(&clip.reference.duration_ms), "{:?}", clip.reference);
    }

    #[test]
    fn equal_text_and_voice_give_the_same_digest_and_other_text_another() {
        let speech = Espeak::new("espeak-ng");
        let digest =
            |text| make(&speech, "zh-CN", text, Need::Now).expect("a clip").reference.digest;
        assert_eq!(digest(TYPHOON), digest(TYPHOON));
        assert_ne!(digest(TYPHOON), digest("注意，暴雨橙色预警。"));
    }

    #[test]
    fn a_language_without_voice_and_a_missing_program_are_named() {
        let error = make(&Espeak::new("espeak-ng"), "nan", "x", Need::Now).expect_err("no voice");
        assert!(error.to_string().contains("nan"), "{error}");
        let error =
            make(&Espeak::new("/nonexistent/voice"), "en", "x", Need::Now).expect_err("no program");
        assert!(error.to_string().contains("/nonexistent/voice"), "{error}");
    }
}
