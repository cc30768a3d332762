//! Listens to what the villages played, by measurement, and holds it against what they reported.

use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;

use super::report::{AtTerminal, Outcome, Report};
use crate::harness::wav::{self, Sound};

/// How far a reported first sound may lie from the first sample heard, in the capture and by the
/// second ear alike.
const TOLERANCE_MS: i64 = 50;

/// Silence between two soundings; speech never pauses that long.
const GAP: Duration = Duration::from_millis(2_500);

/// The first part of a sounding, which must be a tone.
const TONE_PART: usize = wav::RATE as usize;

/// A capture and the instant at which its first sample left the device.
pub struct Capture {
    /// The terminal.
    pub terminal: String,
    /// What was played.
    pub sound: Sound,
    /// When sample 0 was heard; `None` when the node never sounded and so never said.
    pub origin: Option<Timestamp>,
    /// When sound began, heard from outside by another clock than the node's.
    pub onsets: Vec<Timestamp>,
}

/// When a node says that sample 0 of its capture left the device: its log says it with the first
/// sound.
pub fn origin(log: &str) -> anyhow::Result<Option<Timestamp>> {
    let Some(rest) = log.split("\"audio.frame_zero_at\":\"").nth(1) else { return Ok(None) };
    let text = rest.split('"').next().unwrap_or_default();
    text.parse().map(Some).with_context(|| format!("audio.frame_zero_at {text}"))
}

/// Everything that was heard and should not have been, or the other way round.
pub fn check(report: &Report, issued_at: &[Timestamp], captures: &[Capture]) -> Vec<String> {
    let mut failures = Vec::new();
    for capture in captures {
        let name = &capture.terminal;
        let has_played = report
            .alerts
            .iter()
            .flat_map(|alert| &alert.terminals)
            .any(|t| t.id == *name && t.outcome == Outcome::Played);
        if !has_played {
            if capture.sound.first_sound(0).is_some() {
                failures.push(format!("{name} should be silent, and its capture is not"));
            }
            continue;
        }
        if capture.sound.clipped_runs() > 0 {
            failures.push(format!("{name}: the sound is clipped"));
        }
        failures.extend(check_shape(capture));
        for (alert, issued_at) in report.alerts.iter().zip(issued_at) {
            let at = alert.terminals.iter().find(|t| t.id == *name);
            failures.extend(at.and_then(|at| check_first_sound(capture, at, *issued_at)));
            failures.extend(at.and_then(|at| check_onset(capture, at, *issued_at)));
        }
    }
    failures
}

/// Each sounding begins with a tone and goes on with what is not one.
fn check_shape(capture: &Capture) -> Vec<String> {
    let mut failures = Vec::new();
    for (number, stretch) in capture.sound.stretches(GAP).into_iter().enumerate() {
        let name = format!("{} sounding {}", capture.terminal, number + 1);
        let tone_end = (stretch.begin + TONE_PART).min(stretch.end);
        let tone = wav::Stretch { begin: stretch.begin, end: tone_end };
        if capture.sound.tonality(tone) < 0.5 {
            failures.push(format!("{name} does not begin with a tone"));
        }
        let half =
            wav::Stretch { begin: usize::midpoint(stretch.begin, stretch.end), end: stretch.end };
        if capture.sound.tonality(half) > 0.5 {
            failures.push(format!("{name} has no words after its tone"));
        }
    }
    failures
}

fn check_first_sound(capture: &Capture, at: &AtTerminal, issued_at: Timestamp) -> Option<String> {
    let reported = issued_at + jiff::SignedDuration::from_millis(at.first_sound_ms?);
    let reported_ms = i64::try_from(reported.duration_since(capture.origin?).as_millis()).ok()?;
    // From a little before the reported instant: the earlier sounding lies further back.
    let from = usize::try_from((reported_ms - 500).max(0)).ok()? * (wav::RATE as usize / 1_000);
    let heard = capture.sound.first_sound(from)?;
    let heard_ms = i64::try_from(wav::at(heard).as_millis()).ok()?;
    let off_ms = (heard_ms - reported_ms).abs();
    (off_ms > TOLERANCE_MS).then(|| {
        format!("{}: first sound reported {off_ms} ms away from the capture", capture.terminal)
    })
}

/// The node's word against an ear that does not know it: an onset lies where the first sound was
/// reported.
fn check_onset(capture: &Capture, at: &AtTerminal, issued_at: Timestamp) -> Option<String> {
    let reported = issued_at + jiff::SignedDuration::from_millis(at.first_sound_ms?);
    let off_ms = |onset: &Timestamp| onset.duration_since(reported).as_millis().abs();
    let nearest = capture.onsets.iter().map(off_ms).min();
    let name = &capture.terminal;
    match nearest {
        Some(off_ms) if off_ms <= i128::from(TOLERANCE_MS) => None,
        Some(off_ms) => Some(format!("{name}: first sound heard {off_ms} ms from its report")),
        None => Some(format!("{name}: first sound reported and never heard from outside")),
    }
}
