//! Ogg Opus (RFC 7845): mono, 48 kHz, packets of 20 ms, 24 kbit/s, in-band error correction.

use std::io::Cursor;

use ogg::{PacketReader, PacketWriteEndInfo, PacketWriter};
use opus::{Application, Bitrate, Channels, Decoder, Encoder, Signal};

use super::{CLIP_RATE, Pcm};

/// Samples of one packet: 20 ms.
pub const PACKET_SAMPLES: usize = 960;

/// Bits a second.
const BITS_PER_SECOND: i32 = 24_000;

/// Packets of one page: one second, so that a part of a file can be played.
const PAGE_PACKETS: usize = 50;

/// Bytes of one packet, the most that Opus makes.
const PACKET_BYTES_MAX: usize = 1_275;

/// Stream number in the pages; always the same, so that equal sound gives equal bytes.
const SERIAL: u32 = 1;

/// Seconds of sound that are decoded at most.
const SECONDS_MAX: usize = 600;

/// Why a clip was not written or read.
#[derive(Debug, thiserror::Error)]
pub enum OpusFileError {
    /// The codec.
    #[error("Opus")]
    Codec(#[from] opus::Error),
    /// The container, on writing.
    #[error("write the Ogg container")]
    Write(#[from] std::io::Error),
    /// The container, on reading.
    #[error("read the Ogg container")]
    Read(#[from] ogg::OggReadError),
    /// Not a clip as this project makes them.
    #[error("not a clip: {0}")]
    NotAClip(&'static str),
}

/// Encodes sound at [`CLIP_RATE`].
pub fn encode(samples: &[f32]) -> Result<Vec<u8>, OpusFileError> {
    let mut encoder = Encoder::new(CLIP_RATE, Channels::Mono, Application::Voip)?;
    encoder.set_bitrate(Bitrate::Bits(BITS_PER_SECOND))?;
    encoder.set_signal(Signal::Voice)?;
    encoder.set_inband_fec(true)?;
    encoder.set_packet_loss_perc(5)?;
    let pre_skip = encoder.get_lookahead()?.max(0) as usize;

    let mut writer = PacketWriter::new(Vec::new());
    writer.write_packet(head(pre_skip), SERIAL, PacketWriteEndInfo::EndPage, 0)?;
    writer.write_packet(tags(), SERIAL, PacketWriteEndInfo::EndPage, 0)?;
    // The decoder's first samples are cut (pre-skip), so the end needs as many more.
    let total = pre_skip + samples.len();
    let packets = total.div_ceil(PACKET_SAMPLES).max(1);
    let mut frame = vec![0.0; PACKET_SAMPLES];
    for index in 0..packets {
        let rest = samples.get(index * PACKET_SAMPLES..).unwrap_or_default();
        let length = rest.len().min(PACKET_SAMPLES);
        frame[..length].copy_from_slice(&rest[..length]);
        frame[length..].fill(0.0);
        let packet = encoder.encode_vec_float(&frame, PACKET_BYTES_MAX)?;
        let end = if index + 1 == packets {
            PacketWriteEndInfo::EndStream
        } else if (index + 1) % PAGE_PACKETS == 0 {
            PacketWriteEndInfo::EndPage
        } else {
            PacketWriteEndInfo::NormalPacket
        };
        let granule = ((index + 1) * PACKET_SAMPLES).min(total);
        writer.write_packet(packet, SERIAL, end, granule as u64)?;
    }
    Ok(writer.into_inner())
}

fn head(pre_skip: usize) -> Vec<u8> {
    let mut head = b"OpusHead\x01\x01".to_vec();
    head.extend((pre_skip as u16).to_le_bytes());
    head.extend(CLIP_RATE.to_le_bytes());
    // Output gain 0, channel mapping family 0.
    head.extend([0, 0, 0]);
    head
}

fn tags() -> Vec<u8> {
    const VENDOR: &[u8] = b"tongluo";
    let mut tags = b"OpusTags".to_vec();
    tags.extend((VENDOR.len() as u32).to_le_bytes());
    tags.extend(VENDOR);
    tags.extend(0_u32.to_le_bytes());
    tags
}

/// Decodes a clip, with the pre-skip and what lies beyond the last granule cut off.
pub fn decode(bytes: &[u8]) -> Result<Pcm, OpusFileError> {
    let mut reader = PacketReader::new(Cursor::new(bytes));
    let head = reader.read_packet()?.ok_or(OpusFileError::NotAClip("empty"))?.data;
    if head.len() < 19 || !head.starts_with(b"OpusHead") || head[9] != 1 || head[18] != 0 {
        return Err(OpusFileError::NotAClip("no OpusHead of one channel"));
    }
    let pre_skip = usize::from(u16::from_le_bytes([head[10], head[11]]));
    let tags = reader.read_packet()?.ok_or(OpusFileError::NotAClip("no OpusTags"))?.data;
    if !tags.starts_with(b"OpusTags") {
        return Err(OpusFileError::NotAClip("no OpusTags"));
    }
    let mut decoder = Decoder::new(CLIP_RATE, Channels::Mono)?;
    let mut samples = Vec::new();
    // 120 ms, the longest packet that Opus has.
    let mut frame = vec![0.0; 6 * PACKET_SAMPLES];
    let mut last_granule = 0;
    while let Some(packet) = reader.read_packet()? {
        let length = decoder.decode_float(&packet.data, &mut frame, false)?;
        samples.extend_from_slice(&frame[..length]);
        last_granule = packet.absgp_page();
        if samples.len() > SECONDS_MAX * CLIP_RATE as usize {
            return Err(OpusFileError::NotAClip("longer than ten minutes"));
        }
    }
    samples.truncate(usize::try_from(last_granule).unwrap_or(usize::MAX));
    samples.drain(..pre_skip.min(samples.len()));
    Ok(Pcm { rate: CLIP_RATE, samples })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(samples: usize) -> Vec<f32> {
        (0..samples).map(|n| 0.3 * (n as f32 * 0.05).sin()).collect()
    }

    #[test]
    fn a_round_trip_keeps_every_sample_count() {
        for length in [0, 1, 959, 960, 961, 48_000, 123_457] {
            let bytes = encode(&tone(length)).expect("encodes");
            assert_eq!(decode(&bytes).expect("decodes").samples.len(), length);
        }
    }

    #[test]
    fn equal_sound_gives_equal_bytes_and_the_round_trip_keeps_the_tone() {
        let sound = tone(48_000);
        let bytes = encode(&sound).expect("encodes");
        assert_eq!(bytes, encode(&sound).expect("encodes"));
        let back = decode(&bytes).expect("decodes");
        let energy = |s: &[f32]| s.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
        let ratio = energy(&back.samples) / energy(&sound);
        assert!((0.8..1.2).contains(&ratio), "{ratio}");
    }

    #[test]
    fn altered_and_cut_files_are_errors_or_shorter_never_a_panic() {
        let bytes = encode(&tone(9_600)).expect("encodes");
        for end in 0..bytes.len() {
            let _: Result<_, _> = decode(&bytes[..end]);
        }
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 0x55;
            let _: Result<_, _> = decode(&altered);
        }
    }
}
