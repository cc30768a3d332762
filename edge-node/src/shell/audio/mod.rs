//! From words to the loudspeaker: sources of samples, the ring to the sound card, and the exact
//! account of what the card did with them.
//!
//! Everything is mono at 48 kHz until the last step, where each frame is copied to every channel
//! of the card. Knows nothing of orders, priorities or receipts: it plays a [`score::Score`] and
//! tells what became of it.

pub mod card;
pub mod feed;
pub mod meter;
pub mod opus_file;
pub mod player;
pub mod resample;
pub mod score;
pub mod tone;
pub mod wav;

/// Samples a second, everywhere in this program.
pub const RATE_HZ: u32 = 48_000;

/// Samples in 10 ms: the step in which sources are read.
pub const STEP: usize = 480;

/// A stream of mono samples at [`RATE_HZ`], in −1 to 1.
pub trait Source: Send {
    /// Fills the front of `out` and says how many samples; 0 at the end and ever after.
    fn read(&mut self, out: &mut [f32]) -> usize;
}

/// Nothing, for a while.
#[derive(Debug, Clone, Copy)]
pub struct Silence {
    left: usize,
}

impl Silence {
    /// Silence of this length.
    pub const fn ms(ms: u32) -> Self {
        Self { left: ms as usize * (RATE_HZ as usize / 1_000) }
    }
}

impl Source for Silence {
    fn read(&mut self, out: &mut [f32]) -> usize {
        let n = self.left.min(out.len());
        out[..n].fill(0.0);
        self.left -= n;
        n
    }
}

/// Reads a source to its end; for tests and short sources only.
pub fn collect(source: &mut dyn Source) -> Vec<f32> {
    let mut all = Vec::new();
    let mut step = [0.0; STEP];
    loop {
        let n = source.read(&mut step);
        if n == 0 {
            return all;
        }
        all.extend_from_slice(&step[..n]);
    }
}
