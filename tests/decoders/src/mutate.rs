//! Seeded damage to true messages: what a machine can try without coverage to guide it.

use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _, SeedableRng as _};

/// Changes made to one input at most.
const CHANGES_MAX: usize = 8;

/// The lower bits of a CBOR head whose number stands in the eight bytes after it.
const EIGHT_BYTES_FOLLOW: u8 = 0b1_1011;

/// Numbers at which length fields and counters break.
const EDGES: [u64; 10] = [
    0,
    1,
    0x7F,
    0xFF,
    0xFFFF,
    0x7FFF_FFFF,
    0xFFFF_FFFF,
    0x7FFF_FFFF_FFFF_FFFF,
    0x8000_0000_0000_0000,
    0xFFFF_FFFF_FFFF_FFFF,
];

/// Damaged inputs without end; the same seed gives the same ones.
#[derive(Debug)]
pub struct Mutator {
    random: StdRng,
    seeds: Vec<Vec<u8>>,
    words: &'static [&'static str],
    bytes_max: usize,
}

impl Mutator {
    /// Damages these seeds, with these words between, up to this length.
    pub fn new(
        seed: u64,
        seeds: Vec<Vec<u8>>,
        words: &'static [&'static str],
        bytes_max: usize,
    ) -> Self {
        Self { random: StdRng::seed_from_u64(seed), seeds, words, bytes_max }
    }

    /// The next input.
    pub fn next_input(&mut self) -> Vec<u8> {
        let mut bytes = self.pick_seed();
        for _ in 0..self.random.random_range(1..=CHANGES_MAX) {
            self.change(&mut bytes);
        }
        bytes.truncate(self.bytes_max);
        bytes
    }

    fn pick_seed(&mut self) -> Vec<u8> {
        if self.seeds.is_empty() {
            return Vec::new();
        }
        let which = self.random.random_range(0..self.seeds.len());
        self.seeds[which].clone()
    }

    fn place(&mut self, bytes: &[u8]) -> usize {
        self.random.random_range(0..=bytes.len())
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        let at = self.place(bytes);
        match self.random.random_range(0..8_u8) {
            0 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << self.random.random_range(0..8_u8);
                }
            }
            1 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = self.random.random();
                }
            }
            2 => bytes.truncate(at),
            3 => {
                let end = self.place(bytes).max(at).min(at + 64);
                bytes.drain(at..end.min(bytes.len()));
            }
            4 => self.insert_number(bytes, at),
            5 => {
                // A part of itself or of another message, over and over.
                let from = self.pick_seed();
                let (a, b) = (self.place(&from), self.place(&from));
                let part = &from[a.min(b)..a.max(b)];
                let room = self.bytes_max.saturating_sub(bytes.len());
                let times = self.random.random_range(1..=64).min(room / part.len().max(1));
                bytes.splice(at..at, part.repeat(times));
            }
            6 => {
                let mut random = vec![0; self.random.random_range(1..=16)];
                self.random.fill_bytes(&mut random);
                bytes.splice(at..at, random);
            }
            _ => self.insert_word(bytes, at),
        }
    }

    /// A number at an edge, big-endian as CBOR has it, in one to nine bytes with its head.
    fn insert_number(&mut self, bytes: &mut Vec<u8>, at: usize) {
        let number = EDGES[self.random.random_range(0..EDGES.len())];
        let head = (self.random.random_range(0..8_u8) << 5) | EIGHT_BYTES_FOLLOW;
        let mut text = vec![head];
        text.extend(number.to_be_bytes());
        let end = (at + text.len()).min(bytes.len());
        // Half of them replace what stood there.
        let end = if self.random.random() { end } else { at };
        bytes.splice(at..end, text);
    }

    fn insert_word(&mut self, bytes: &mut Vec<u8>, at: usize) {
        if self.words.is_empty() {
            return;
        }
        let word = self.words[self.random.random_range(0..self.words.len())];
        bytes.splice(at..at, word.bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_the_same_damage_within_the_length() {
        let inputs = |seed| {
            let seeds = vec![b"tongluo/1/region/350212103000/order".to_vec(), vec![0x82, 1, 2]];
            let mut mutator = Mutator::new(seed, seeds, &["region"], 100);
            (0..500).map(|_| mutator.next_input()).collect::<Vec<_>>()
        };
        assert_eq!(inputs(1), inputs(1));
        assert_ne!(inputs(1), inputs(2));
        assert!(inputs(3).iter().all(|input| input.len() <= 100));
    }
}
