//! The sound card through cpal: opened in the first format that it takes, fed from the ring,
//! measured by the [`Meter`].

use std::sync::Arc;
use std::time::Duration;

use cpal::traits::{DeviceTrait as _, HostTrait as _, StreamTrait as _};
use cpal::{BufferSize, ErrorKind, FromSample, OutputCallbackInfo, SampleFormat, SizedSample};
use rtrb::{Consumer, Producer, RingBuffer};

use super::RATE_HZ;
use super::meter::{Meter, Passage, SILENCE_MAX};
use crate::shell::clock;

/// Samples between decoder and card: a quarter of a second bridges a busy moment of a small
/// processor, and is thrown away by a cut.
pub const RING_SAMPLES: usize = 12_000;

/// Frames a callback is asked for, 43 ms; the card holds two of them.
const PERIOD_FRAMES: u32 = 2_048;

/// Samples over which a cut fades, 5 ms: no click.
const FADE_SAMPLES: usize = 240;

/// Longest wait of cpal's thread for the card before it looks at the card's state.
const POLL_TIMEOUT: Duration = Duration::from_millis(500);

/// Errors in a row, without a callback between them, after which the card counts as lost: with a
/// pause after each, half a second. A sound server that has no timing yet gives errors for some
/// tens of milliseconds and then plays on.
const ERRORS_MAX: u32 = 250;

/// Pause of cpal's thread after an error: without one it asks again at once, thousands of times.
const ERROR_PAUSE: Duration = Duration::from_millis(2);

/// Formats tried, in this order.
const FORMATS: [(SampleFormat, u16); 6] = [
    (SampleFormat::I16, 2),
    (SampleFormat::I16, 1),
    (SampleFormat::F32, 2),
    (SampleFormat::F32, 1),
    (SampleFormat::I32, 2),
    (SampleFormat::I32, 1),
];

/// Why no card could be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// There is none of this name, or none at all.
    #[error("there is no sound card{0}")]
    Absent(String),
    /// It can't do 48 kHz in any format that is known here.
    #[error("the sound card offers no 16-bit, 32-bit or float format at 48 kHz")]
    NoFormat,
    /// Anything else.
    #[error("the sound card can't be opened: {0}")]
    Other(String),
}

/// An open card. Dropping it closes it.
pub struct Card {
    /// What the callback reports.
    pub meter: Arc<Meter>,
    /// The way in.
    pub ring: Producer<f32>,
    /// Sample format and channels, for the log.
    pub format: String,
    _stream: cpal::Stream,
}

impl Card {
    /// Opens the card named `name` (an ALSA name such as `plughw:1`), or the default for "".
    pub fn open(name: &str) -> Result<Self, CardError> {
        let device = find(name)?;
        for (format, channels) in FORMATS {
            for buffer_size in [BufferSize::Fixed(PERIOD_FRAMES), BufferSize::Default] {
                let config = cpal::StreamConfig { channels, sample_rate: RATE_HZ, buffer_size };
                match Self::build(&device, config, format) {
                    Ok(card) => return Ok(card),
                    Err(error) if is_about_format(&error) => {}
                    Err(error) if is_absence(&error) => {
                        return Err(CardError::Absent(format!(" ({error})")));
                    }
                    Err(error) => return Err(CardError::Other(error.to_string())),
                }
            }
        }
        Err(CardError::NoFormat)
    }

    fn build(
        device: &cpal::Device,
        config: cpal::StreamConfig,
        format: SampleFormat,
    ) -> Result<Self, cpal::Error> {
        if format == SampleFormat::I16 {
            Self::build_as::<i16>(device, config, format)
        } else if format == SampleFormat::F32 {
            Self::build_as::<f32>(device, config, format)
        } else {
            Self::build_as::<i32>(device, config, format)
        }
    }

    fn build_as<T: SizedSample + FromSample<f32> + Send + 'static>(
        device: &cpal::Device,
        config: cpal::StreamConfig,
        format: SampleFormat,
    ) -> Result<Self, cpal::Error> {
        let (ring, consumer) = RingBuffer::new(RING_SAMPLES);
        let meter = Arc::new(Meter::default());
        let mut feed = Feed { ring: consumer, meter: Arc::clone(&meter) };
        let channels = usize::from(config.channels);
        let on_error = {
            let meter = Arc::clone(&meter);
            move |error: cpal::Error| note_error(&meter, &error)
        };
        let stream = device.build_output_stream(
            config,
            move |data: &mut [T], info: &OutputCallbackInfo| feed.fill(data, channels, info),
            on_error,
            Some(POLL_TIMEOUT),
        )?;
        stream.play()?;
        Ok(Self { meter, ring, format: format!("{format} x {channels}"), _stream: stream })
    }
}

fn find(name: &str) -> Result<cpal::Device, CardError> {
    let host = cpal::default_host();
    if name.is_empty() {
        return host.default_output_device().ok_or(CardError::Absent(String::new()));
    }
    let absent = || CardError::Absent(format!(" named {name}"));
    let id = format!("alsa:{name}").parse::<cpal::DeviceId>().map_err(|_| absent())?;
    host.device_by_id(&id).ok_or_else(absent)
}

fn is_about_format(error: &cpal::Error) -> bool {
    matches!(error.kind(), ErrorKind::UnsupportedConfig | ErrorKind::InvalidInput)
}

fn is_absence(error: &cpal::Error) -> bool {
    matches!(error.kind(), ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable)
}

/// An underrun is counted, a rerouting ignored. Some drivers give errors before their first frame or
/// while they are busy; when none but errors come for half a second, the card is opened anew.
fn note_error(meter: &Meter, error: &cpal::Error) {
    let kind = error.kind();
    if kind == ErrorKind::Xrun {
        meter.xrun();
    } else if kind != ErrorKind::DeviceChanged && kind != ErrorKind::RealtimeDenied {
        let is_gone = kind == ErrorKind::DeviceNotAvailable || meter.error() >= ERRORS_MAX;
        if is_gone && !meter.is_lost() {
            tracing::warn!("the sound card is lost: {error}");
            meter.lose();
        }
        std::thread::park_timeout(ERROR_PAUSE);
    }
}

/// The callback's own part.
struct Feed {
    ring: Consumer<f32>,
    meter: Arc<Meter>,
}

impl Feed {
    fn fill<T: SizedSample + FromSample<f32>>(
        &mut self,
        data: &mut [T],
        channels: usize,
        info: &OutputCallbackInfo,
    ) {
        let stamp = info.timestamp();
        let latency = stamp.playback.duration_since(stamp.callback);
        let leaves_at = clock::now().saturating_add(latency).unwrap_or(jiff::Timestamp::MAX);
        let is_cut = self.meter.wants_cut();
        let total = data.len() / channels;
        let limit = match (self.meter.is_sounding(), is_cut) {
            (false, _) => 0,
            (true, false) => total,
            (true, true) => FADE_SAMPLES.min(total),
        };
        let hold = self.meter.frames_until_start(leaves_at);
        let mut sounding = 0;
        let mut first_loud = None;
        for (i, frame) in data.chunks_mut(channels).enumerate() {
            let may_sound = i >= hold && i < limit;
            let sample = if may_sound { self.ring.pop().ok() } else { None };
            let mut value = sample.unwrap_or(0.0);
            if is_cut {
                value *= 1.0 - (i as f32 / FADE_SAMPLES as f32).min(1.0);
            }
            if sample.is_some() {
                sounding += 1;
                if first_loud.is_none() && value.abs() > SILENCE_MAX {
                    first_loud = Some(i as u64);
                }
            }
            frame.fill(T::from_sample(value));
        }
        let delay = (latency.as_secs_f64() * f64::from(RATE_HZ)) as u64;
        let total = total as u64;
        self.meter.record(Passage { sounding, total, delay, first_loud, leaves_at });
        if is_cut {
            while self.ring.pop().is_ok() {}
            self.meter.cut_done();
        }
    }
}
