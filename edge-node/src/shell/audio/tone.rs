//! Attention tones, generated: no recording is shipped.
//!
//! | what | tone | length |
//! |---|---|---|
//! | Actual, red | siren: 600 → 1,200 → 600 Hz, twice | 3.2 s |
//! | Actual, orange | two tones, 960 and 770 Hz in turn, six times | 2.4 s |
//! | Actual, yellow | three pulses of 880 Hz | 1.35 s |
//! | Actual, blue | two pulses of 660 Hz | 1.0 s |
//! | Actual without colour; Routine | ding-dong, 784 and 659 Hz, soft | 1.2 s |
//! | Exercise | four rising bells, 523 659 784 1,047 Hz, soft | 1.6 s |
//! | Test | one bell, 1,047 Hz | 0.8 s |
//! | Lifted, Withdrawn | four falling bells, 1,047 784 659 523 Hz | 1.6 s |
//! | LiveTalk | one bell, 880 Hz | 0.5 s |
//!
//! An Actual order with a colour is followed by short pips of 1,400 Hz that tell the hazard apart
//! without words: one for weather (11B), two for water and sea (11A, 11E), three for fire (11G),
//! four for earthquake and landslide (11C, 11D), none for the others. Nothing is longer than
//! [`TONE_MS_MAX`]. Each note begins and ends in a ramp, so that a horn does not click, and no
//! sample exceeds [`PEAK_MAX`].

use std::f32::consts::TAU;

use protocols::alert::{AlertColor, BroadcastKind, EventCode};
use protocols::order::Purpose;

use super::{RATE_HZ, Source};

/// Milliseconds of the longest tone: longer delays the words.
pub const TONE_MS_MAX: u32 = 4_000;

/// Largest sample of any tone: leaves a horn's amplifier 3 dB.
pub const PEAK_MAX: f32 = 0.7;

/// Peak of the near-silent tone, −63 dB of full scale: twenty steps of a 16-bit card, and below
/// what counts as sound.
const NEAR_SILENT_PEAK: f32 = 0.000_7;

/// Milliseconds of the ramp at each end of a note.
const RAMP_MS: u32 = 8;

/// What a tone announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Announcement {
    /// What the order does.
    pub purpose: Purpose,
    /// What it is for.
    pub kind: BroadcastKind,
    /// How serious.
    pub color: Option<AlertColor>,
    /// Which hazard.
    pub event: EventCode,
}

/// A tone that sounds its notes one after the other.
#[derive(Debug, Clone)]
pub struct Tone {
    notes: Vec<Note>,
    at_note: usize,
    at_sample: u32,
    phase: f32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Note {
    from_hz: f32,
    to_hz: f32,
    ms: u32,
    /// 0 is a rest.
    peak: f32,
    /// Dies away like a bell instead of holding.
    is_bell: bool,
}

impl Note {
    const fn hold(hz: f32, ms: u32) -> Self {
        Self::sweep(hz, hz, ms)
    }

    const fn sweep(from_hz: f32, to_hz: f32, ms: u32) -> Self {
        Self { from_hz, to_hz, ms, peak: PEAK_MAX, is_bell: false }
    }

    const fn bell(hz: f32, ms: u32) -> Self {
        Self { from_hz: hz, to_hz: hz, ms, peak: 0.5, is_bell: true }
    }

    const fn rest(ms: u32) -> Self {
        Self { from_hz: 0.0, to_hz: 0.0, ms, peak: 0.0, is_bell: false }
    }

    const fn samples(&self) -> u32 {
        self.ms * (RATE_HZ / 1_000)
    }
}

impl Tone {
    /// The tone of the table above.
    pub fn of(what: Announcement) -> Self {
        let mut notes = if what.purpose.is_closing() {
            bells(&[1_047.0, 784.0, 659.0, 523.0])
        } else {
            body(what.kind, what.color)
        };
        if what.kind == BroadcastKind::Actual && what.color.is_some() && !what.purpose.is_closing()
        {
            for _ in 0..n_pips(what.event) {
                notes.extend([Note::rest(60), Note::hold(1_400.0, 90)]);
            }
        }
        Self { notes, at_note: 0, at_sample: 0, phase: 0.0 }
    }

    /// A tone that nobody hears and every card must play: the self-test of the night.
    pub fn near_silent(ms: u32) -> Self {
        let note = Note { peak: NEAR_SILENT_PEAK, ..Note::hold(440.0, ms) };
        Self { notes: vec![note], at_note: 0, at_sample: 0, phase: 0.0 }
    }

    /// Its length.
    pub fn duration_ms(&self) -> u32 {
        self.notes.iter().map(|note| note.ms).sum()
    }
}

fn body(kind: BroadcastKind, color: Option<AlertColor>) -> Vec<Note> {
    match (kind, color) {
        (BroadcastKind::Actual, Some(AlertColor::Red)) => {
            [Note::sweep(600.0, 1_200.0, 800), Note::sweep(1_200.0, 600.0, 800)].repeat(2)
        }
        (BroadcastKind::Actual, Some(AlertColor::Orange)) => {
            [Note::hold(960.0, 400), Note::hold(770.0, 400)].repeat(3)
        }
        (BroadcastKind::Actual, Some(AlertColor::Yellow)) => {
            [Note::hold(880.0, 300), Note::rest(150)].repeat(3)
        }
        (BroadcastKind::Actual, Some(AlertColor::Blue)) => {
            [Note::hold(660.0, 350), Note::rest(150)].repeat(2)
        }
        (BroadcastKind::Actual, None) | (BroadcastKind::Routine, _) => {
            vec![Note::bell(784.0, 500), Note::bell(659.0, 700)]
        }
        (BroadcastKind::Exercise, _) => bells(&[523.0, 659.0, 784.0, 1_047.0]),
        (BroadcastKind::Test, _) => vec![Note::bell(1_047.0, 800)],
        (BroadcastKind::LiveTalk, _) => vec![Note::bell(880.0, 500)],
    }
}

fn bells(pitches: &[f32]) -> Vec<Note> {
    pitches.iter().map(|hz| Note::bell(*hz, 400)).collect()
}

fn n_pips(event: EventCode) -> usize {
    match &event.as_str()[..3] {
        "11B" => 1,
        "11A" | "11E" => 2,
        "11G" => 3,
        "11C" | "11D" => 4,
        _ => 0,
    }
}

impl Source for Tone {
    fn read(&mut self, out: &mut [f32]) -> usize {
        let mut n = 0;
        while n < out.len() {
            let Some(note) = self.notes.get(self.at_note) else { break };
            if self.at_sample >= note.samples() {
                self.at_note += 1;
                self.at_sample = 0;
                continue;
            }
            out[n] = sample(note, self.at_sample, &mut self.phase);
            self.at_sample += 1;
            n += 1;
        }
        n
    }
}

/// A fundamental with two weak overtones (a bare sine is hard to locate outdoors), under the
/// note's envelope.
fn sample(note: &Note, at: u32, phase: &mut f32) -> f32 {
    if note.peak == 0.0 {
        *phase = 0.0;
        return 0.0;
    }
    let part = at as f32 / note.samples() as f32;
    let hz = note.from_hz + (note.to_hz - note.from_hz) * part;
    *phase = (*phase + TAU * hz / RATE_HZ as f32) % TAU;
    let wave = (phase.sin() + 0.3 * (2.0 * *phase).sin() + 0.15 * (3.0 * *phase).sin()) / 1.45;
    wave * note.peak * envelope(note, at)
}

fn envelope(note: &Note, at: u32) -> f32 {
    let ramp = (RAMP_MS * RATE_HZ / 1_000) as f32;
    let left = note.samples() - at;
    let edge = (at as f32 / ramp).min(left as f32 / ramp).min(1.0);
    let fade = if note.is_bell { (-4.0 * at as f32 / note.samples() as f32).exp() } else { 1.0 };
    edge * fade
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::audio::collect;

    fn every_announcement() -> Vec<Announcement> {
        let mut all = Vec::new();
        let colors = AlertColor::ALL.map(Some).into_iter().chain([None]);
        for color in colors {
            for kind in [
                BroadcastKind::Routine,
                BroadcastKind::Test,
                BroadcastKind::Exercise,
                BroadcastKind::Actual,
                BroadcastKind::LiveTalk,
            ] {
                for purpose in [Purpose::Alert, Purpose::Update, Purpose::Lifted] {
                    for event in ["11B01", "11C01", "11A01", "11G01", "19000"] {
                        let event = event.parse().expect("a code");
                        all.push(Announcement { purpose, kind, color, event });
                    }
                }
            }
        }
        all
    }

    #[test]
    fn every_tone_is_short_bounded_and_free_of_clicks() {
        for what in every_announcement() {
            let mut tone = Tone::of(what);
            assert!(tone.duration_ms() <= TONE_MS_MAX, "{what:?} is too long");
            let samples = collect(&mut tone.clone());
            assert_eq!(samples.len() as u32, tone.duration_ms() * 48, "{what:?}");
            assert!(samples.iter().all(|s| s.abs() <= PEAK_MAX), "{what:?} is too loud");
            let step = samples.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
            assert!(step < 0.25, "{what:?} clicks: {step}");
            assert!(samples.first().is_some_and(|s| s.abs() < 0.01));
            assert!(samples.last().is_some_and(|s| s.abs() < 0.01));
            assert_eq!(tone.read(&mut [0.0; 8]), 8);
        }
    }

    #[test]
    fn the_near_silent_tone_is_no_sound_and_no_silence_either() {
        let samples = collect(&mut Tone::near_silent(1_500));
        let peak = samples.iter().fold(0.0, |peak: f32, s| peak.max(s.abs()));
        assert_eq!(samples.len(), 72_000);
        assert!(peak < super::super::meter::SILENCE_MAX && peak * 32_767.0 > 10.0, "{peak}");
    }

    #[test]
    fn a_drill_never_sounds_like_an_alert_and_a_closing_like_neither() {
        let event = "11B01".parse().expect("a code");
        let of = |purpose, kind| {
            let color = Some(AlertColor::Red);
            collect(&mut Tone::of(Announcement { purpose, kind, color, event }))
        };
        let alert = of(Purpose::Alert, BroadcastKind::Actual);
        let drill = of(Purpose::Alert, BroadcastKind::Exercise);
        let lifted = of(Purpose::Lifted, BroadcastKind::Actual);
        assert_ne!(alert, drill);
        assert_ne!(alert, lifted);
        assert_ne!(drill, lifted);
    }
}
