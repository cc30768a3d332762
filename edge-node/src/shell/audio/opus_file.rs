//! Decodes a clip: Ogg Opus (RFC 7845), one logical stream, to mono at 48 kHz.
//!
//! Packet by packet as it is played, so that a long clip needs no long buffer. Pre-skip, output
//! gain and the trim at the end are honoured. Bytes of an enemy are worth at most an error: a
//! damaged packet ends the clip with a count, never the program.

use std::io::Cursor;
use std::sync::Arc;

use ogg::PacketReader;

use super::{RATE_HZ, Source};

/// Samples in the longest Opus packet, 120 ms.
const PACKET_SAMPLES_MAX: usize = 5_760;

/// Seconds of the longest clip that is played: twice the longest text spoken slowly.
pub const CLIP_SECONDS_MAX: u64 = 300;

/// Why bytes are not a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClipError {
    /// Not Ogg, or its first packet is not an Opus header.
    #[error("not an Ogg Opus file: {0}")]
    Header(&'static str),
    /// The codec could not be made.
    #[error("the Opus decoder could not be made")]
    Decoder,
}

/// A clip being decoded.
pub struct OpusClip {
    reader: PacketReader<Cursor<Bytes>>,
    serial: u32,
    decoder: opus::Decoder,
    buffer: Vec<f32>,
    at: usize,
    /// Samples still to be dropped at the front.
    skip: usize,
    pre_skip: u64,
    /// Samples decoded so far, dropped ones included.
    decoded: u64,
    is_over: bool,
    is_damaged: bool,
}

/// The file, shared with the cache.
struct Bytes(Arc<[u8]>);

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl OpusClip {
    /// Reads the header.
    pub fn open(bytes: Arc<[u8]>) -> Result<Self, ClipError> {
        let mut reader = PacketReader::new(Cursor::new(Bytes(bytes)));
        let Ok(Some(head)) = reader.read_packet() else {
            return Err(ClipError::Header("no packet"));
        };
        let data = &head.data;
        if data.get(..8) != Some(b"OpusHead") || data.len() < 19 {
            return Err(ClipError::Header("no OpusHead"));
        }
        if data[8] >> 4 != 0 {
            return Err(ClipError::Header("an unknown version"));
        }
        if !(1..=2).contains(&data[9]) || data[18] != 0 {
            return Err(ClipError::Header("more than two channels"));
        }
        let pre_skip = u16::from_le_bytes([data[10], data[11]]);
        let gain = i16::from_le_bytes([data[16], data[17]]);
        let mut decoder =
            opus::Decoder::new(RATE_HZ, opus::Channels::Mono).map_err(|_| ClipError::Decoder)?;
        decoder.set_gain(gain.into()).map_err(|_| ClipError::Decoder)?;
        let serial = head.stream_serial();
        match reader.read_packet() {
            Ok(Some(tags)) if tags.data.starts_with(b"OpusTags") => {}
            Ok(_) | Err(_) => return Err(ClipError::Header("no OpusTags")),
        }
        Ok(Self {
            reader,
            serial,
            decoder,
            buffer: Vec::with_capacity(PACKET_SAMPLES_MAX),
            at: 0,
            skip: pre_skip.into(),
            pre_skip: pre_skip.into(),
            decoded: 0,
            is_over: false,
            is_damaged: false,
        })
    }

    /// Whether it ended at a packet that could not be read.
    pub fn is_damaged(&self) -> bool {
        self.is_damaged
    }

    /// Decodes the next packet into the buffer; false at the end.
    fn refill(&mut self) -> bool {
        self.buffer.clear();
        self.at = 0;
        let packet = match self.reader.read_packet() {
            Ok(Some(packet)) if packet.stream_serial() == self.serial => packet,
            // A second stream in the file is not ours to play.
            Ok(Some(_) | None) => return false,
            Err(_) => {
                self.is_damaged = true;
                return false;
            }
        };
        self.buffer.resize(PACKET_SAMPLES_MAX, 0.0);
        let Ok(n) = self.decoder.decode_float(&packet.data, &mut self.buffer, false) else {
            self.is_damaged = true;
            return false;
        };
        self.buffer.truncate(n);
        self.decoded += n as u64;
        if packet.last_in_stream() {
            // The position of the last page counts the samples that are meant, pre-skip included.
            let surplus = self.decoded.saturating_sub(packet.absgp_page()) as usize;
            self.buffer.truncate(n.saturating_sub(surplus));
            self.is_over = true;
        }
        let skipped = self.skip.min(self.buffer.len());
        self.skip -= skipped;
        self.at = skipped;
        self.decoded.saturating_sub(self.pre_skip) <= CLIP_SECONDS_MAX * u64::from(RATE_HZ)
    }
}

impl Source for OpusClip {
    fn read(&mut self, out: &mut [f32]) -> usize {
        let mut n = 0;
        while n < out.len() {
            if self.at >= self.buffer.len() {
                if self.is_over || !self.refill() {
                    self.is_over = true;
                    self.buffer.clear();
                    self.at = 0;
                    break;
                }
                continue;
            }
            let part = (out.len() - n).min(self.buffer.len() - self.at);
            out[n..n + part].copy_from_slice(&self.buffer[self.at..self.at + part]);
            self.at += part;
            n += part;
        }
        n
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::audio::collect;
    use ogg::writing::{PacketWriteEndInfo, PacketWriter};
    use proptest::prelude::*;

    const PRE_SKIP: u16 = 312;

    /// A clip of a 440 Hz tone, `ms` long, as a dispatcher makes it.
    fn clip(ms: usize) -> Vec<u8> {
        let mut encoder = opus::Encoder::new(48_000, opus::Channels::Mono, opus::Application::Voip)
            .expect("an encoder");
        let total = ms * 48;
        let mut head = b"OpusHead\x01\x01".to_vec();
        head.extend(PRE_SKIP.to_le_bytes());
        head.extend(48_000u32.to_le_bytes());
        head.extend([0, 0, 0]);
        let mut writer = PacketWriter::new(Vec::new());
        writer.write_packet(head, 1, PacketWriteEndInfo::EndPage, 0).expect("in memory");
        let tags = b"OpusTags\0\0\0\0\0\0\0\0".to_vec();
        writer.write_packet(tags, 1, PacketWriteEndInfo::EndPage, 0).expect("in memory");
        let n_packets = (total + usize::from(PRE_SKIP)).div_ceil(960);
        for p in 0..n_packets {
            let frame: Vec<f32> = (0..960)
                .map(|i| 0.5 * (std::f32::consts::TAU * 440.0 * (p * 960 + i) as f32 / 48e3).sin())
                .collect();
            let packet = encoder.encode_vec_float(&frame, 1_500).expect("encodes");
            let (end, granule) = if p + 1 == n_packets {
                (PacketWriteEndInfo::EndStream, total + usize::from(PRE_SKIP))
            } else {
                (PacketWriteEndInfo::NormalPacket, (p + 1) * 960)
            };
            writer.write_packet(packet, 1, end, granule as u64).expect("in memory");
        }
        writer.into_inner()
    }

    #[test]
    fn a_clip_has_exactly_the_samples_that_were_put_in() {
        for ms in [15, 20, 500, 1_234] {
            let mut opened = OpusClip::open(clip(ms).into()).expect("a clip");
            let samples = collect(&mut opened);
            assert_eq!(samples.len(), ms * 48);
            assert!(!opened.is_damaged());
        }
        let samples = collect(&mut OpusClip::open(clip(500).into()).expect("a clip"));
        let peak = samples[4_800..].iter().fold(0.0f32, |p, s| p.max(s.abs()));
        assert!((0.35..0.65).contains(&peak), "{peak}");
    }

    #[test]
    fn what_is_no_clip_is_refused() {
        assert!(OpusClip::open(Arc::from(&b""[..])).is_err());
        assert!(OpusClip::open(Arc::from(&b"RIFF....WAVE"[..])).is_err());
        let whole = clip(100);
        assert!(OpusClip::open(whole[..40].to_vec().into()).is_err());
    }

    proptest! {
        #[test]
        fn no_damage_to_a_clip_stops_the_program(
            cut in 0usize..4_000,
            hits in proptest::collection::vec((0usize..4_000, any::<u8>()), 0..6),
        ) {
            let mut bytes = clip(300);
            for (at, value) in hits {
                let at = at % bytes.len();
                bytes[at] = value;
            }
            bytes.truncate(cut.max(1));
            if let Ok(mut opened) = OpusClip::open(bytes.into()) {
                prop_assert!(collect(&mut opened).len() <= 48 * 400);
            }
        }
    }
}
