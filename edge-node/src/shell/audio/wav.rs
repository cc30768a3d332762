//! Reads the WAV that a speech program writes to its standard output.
//!
//! Written for a pipe: the sizes in such a header are guesses, so the data runs to the end of the
//! bytes. Knows 16-bit PCM with one channel and refuses everything else.

/// Mono samples and their rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pcm {
    /// Samples a second.
    pub rate_hz: u32,
    /// The samples.
    pub samples: Vec<i16>,
}

/// Why bytes are not a WAV that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a WAV of 16-bit mono samples: {0}")]
pub struct WavError(&'static str);

/// Reads the bytes.
pub fn read(bytes: &[u8]) -> Result<Pcm, WavError> {
    if bytes.get(..4) != Some(b"RIFF") || bytes.get(8..12) != Some(b"WAVE") {
        return Err(WavError("no RIFF header"));
    }
    let mut rest = &bytes[12..];
    let mut rate_hz = None;
    loop {
        let (Some(name), Some(size)) = (rest.get(..4), rest.get(4..8)) else {
            return Err(WavError("no data"));
        };
        let size = u32::from_le_bytes([size[0], size[1], size[2], size[3]]) as usize;
        let body = &rest[8..];
        if name == b"data" {
            let rate_hz = rate_hz.ok_or(WavError("data before its format"))?;
            let body = &body[..size.min(body.len())];
            let samples = body.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect();
            return Ok(Pcm { rate_hz, samples });
        }
        let content = body.get(..size).ok_or(WavError("a part runs past the end"))?;
        if name == b"fmt " {
            rate_hz = Some(format(content)?);
        }
        rest = body.get(size + size % 2..).ok_or(WavError("no data"))?;
    }
}

fn format(content: &[u8]) -> Result<u32, WavError> {
    let at = |i: usize| content.get(i..i + 2).map(|b| u16::from_le_bytes([b[0], b[1]]));
    if (at(0), at(2), at(14)) != (Some(1), Some(1), Some(16)) {
        return Err(WavError("not PCM, not mono or not 16 bit"));
    }
    let rate = content.get(4..8).ok_or(WavError("a short format"))?;
    Ok(u32::from_le_bytes([rate[0], rate[1], rate[2], rate[3]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wav(samples: &[i16], claimed: u32) -> Vec<u8> {
        let mut bytes = b"RIFF\xff\xff\xff\x7fWAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
        bytes.extend(22_050u32.to_le_bytes());
        bytes.extend(44_100u32.to_le_bytes());
        bytes.extend(b"\x02\0\x10\0data");
        bytes.extend(claimed.to_le_bytes());
        bytes.extend(samples.iter().flat_map(|s| s.to_le_bytes()));
        bytes
    }

    #[test]
    fn the_guessed_size_of_a_pipe_does_not_matter() {
        let pcm = read(&wav(&[1, -2, 3], 0x7fff_f000)).expect("readable");
        assert_eq!(pcm, Pcm { rate_hz: 22_050, samples: vec![1, -2, 3] });
    }

    #[test]
    fn every_cut_of_a_wav_is_an_error_or_shorter_and_never_a_panic() {
        let whole = wav(&[7; 20], 40);
        for n in 0..whole.len() {
            let _ = read(&whole[..n]);
        }
    }
}
