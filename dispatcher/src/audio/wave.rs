//! Reads a WAV stream of 16-bit mono whose header was written before its length was known.

use super::{Pcm, SpeechError};

const NO_WAVE: SpeechError = SpeechError::NoSound { reason: "not a 16-bit mono WAV" };

/// The sound in `bytes`. The length in the data chunk is not believed: data runs to the end.
pub(super) fn read(bytes: &[u8]) -> Result<Pcm, SpeechError> {
    if bytes.get(..4) != Some(b"RIFF") || bytes.get(8..12) != Some(b"WAVE") {
        return Err(NO_WAVE);
    }
    let mut rest = &bytes[12..];
    let mut rate = None;
    while let Some((head, body)) = rest.split_at_checked(8) {
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        match (&head[..4], rate) {
            (b"fmt ", _) => rate = Some(read_format(body)?),
            (b"data", Some(rate)) => {
                let sample = |pair: &[u8]| f32::from(i16::from_le_bytes([pair[0], pair[1]]));
                let samples = body.chunks_exact(2).map(|pair| sample(pair) / 32_768.0).collect();
                return Ok(Pcm { rate, samples });
            }
            _ => {}
        }
        rest = body.get(length.saturating_add(length % 2)..).ok_or(NO_WAVE)?;
    }
    Err(NO_WAVE)
}

/// Samples a second; an error unless PCM, one channel, 16 bit.
fn read_format(body: &[u8]) -> Result<u32, SpeechError> {
    let body = body.get(..16).ok_or(NO_WAVE)?;
    let word = |at: usize| u16::from_le_bytes([body[at], body[at + 1]]);
    let rate = u32::from_le_bytes([body[4], body[5], body[6], body[7]]);
    let is_ours = word(0) == 1 && word(2) == 1 && word(14) == 16;
    (is_ours && (8_000..=48_000).contains(&rate)).then_some(rate).ok_or(NO_WAVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_runs_to_the_end_whatever_the_header_says() {
        let mut bytes = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
        bytes.extend(22_050_u32.to_le_bytes());
        bytes.extend(44_100_u32.to_le_bytes());
        bytes.extend(b"\x02\0\x10\0data\xff\xff\xff\x7f\0\x40\0\xc0");
        let pcm = read(&bytes).expect("a WAV");
        assert_eq!(pcm, Pcm { rate: 22_050, samples: vec![0.5, -0.5] });
        for end in 0..44 {
            assert!(read(&bytes[..end]).is_err(), "cut at {end}");
        }
    }
}
