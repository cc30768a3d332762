//! 故障: what is wrong with a terminal by its own last word.

use jiff::{SignedDuration, Timestamp};
use protocols::vitals::{AudioState, Vitals};

/// Free bytes of the disk below which the journal may soon not be written.
const DISK_FREE_BYTES_MIN: u64 = 64 * 1024 * 1024;

/// Percent of the battery below which it may not last a night.
const BATTERY_PERCENT_MIN: u8 = 30;

/// How long before its end a certificate counts as running out: time for a visit on site.
const CERTIFICATE_DUE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Something wrong with a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TerminalFault {
    /// It has no sound card.
    AudioAbsent,
    /// Its sound card takes sound and does not play it.
    AudioStalled,
    /// Its clock can't be trusted.
    ClockUnsure,
    /// Mains power is gone.
    MainsLost,
    /// The battery runs low.
    BatteryLow,
    /// Its last self-test, near-silent or audible, failed.
    SelfTestFailed,
    /// The disk is nearly full.
    DiskNearlyFull,
    /// A certificate that it relies on has run out or is about to.
    CertificateDue,
}

impl TerminalFault {
    /// The word in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AudioAbsent => "audio_absent",
            Self::AudioStalled => "audio_stalled",
            Self::ClockUnsure => "clock_unsure",
            Self::MainsLost => "mains_lost",
            Self::BatteryLow => "battery_low",
            Self::SelfTestFailed => "self_test_failed",
            Self::DiskNearlyFull => "disk_nearly_full",
            Self::CertificateDue => "certificate_due",
        }
    }
}

/// The faults that a terminal's last vitals show, the gravest first.
pub fn faults(vitals: &Vitals, now: Timestamp) -> Vec<TerminalFault> {
    use TerminalFault as F;
    let audio = match vitals.audio {
        AudioState::Present => None,
        AudioState::Absent => Some(F::AudioAbsent),
        AudioState::Stalled => Some(F::AudioStalled),
    };
    let is_low = |free: u64| free < DISK_FREE_BYTES_MIN;
    let is_due = |expires: Timestamp| expires <= now + CERTIFICATE_DUE;
    let mut tests = [&vitals.silent_test, &vitals.audible_test].into_iter().flatten();
    let found = [
        audio,
        tests.any(|test| test.reason.is_some()).then_some(F::SelfTestFailed),
        vitals.clock_unsure.then_some(F::ClockUnsure),
        (vitals.is_on_mains == Some(false)).then_some(F::MainsLost),
        vitals.battery_percent.is_some_and(|it| it < BATTERY_PERCENT_MIN).then_some(F::BatteryLow),
        vitals.disk_free_bytes.is_some_and(is_low).then_some(F::DiskNearlyFull),
        vitals.certificate_expires.is_some_and(is_due).then_some(F::CertificateDue),
    ];
    found.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn well(now: Timestamp) -> Vitals {
        Vitals {
            terminal: "350212110201-0007".parse().expect("an id"),
            at: now,
            journal_id: 1,
            number: 1,
            clock_unsure: false,
            uptime_s: 60,
            version: "edge-node 0.1.0".to_owned(),
            audio: AudioState::Present,
            sounding: None,
            is_stopped: false,
            journal_bytes: 0,
            disk_free_bytes: Some(1 << 30),
            certificate_expires: Some(now + SignedDuration::from_hours(100 * 24)),
            revocation_number: 0,
            receipts_waiting: 0,
            counters: Vec::new(),
            battery_percent: Some(80),
            is_on_mains: Some(true),
            silent_test: None,
            audible_test: None,
        }
    }

    #[test]
    fn a_terminal_that_is_well_has_no_fault_and_one_that_is_not_names_each() {
        let now = Timestamp::from_second(1_800_000_000).expect("in the calendar");
        assert_eq!(faults(&well(now), now), []);
        let ill = Vitals {
            clock_unsure: true,
            audio: AudioState::Stalled,
            disk_free_bytes: Some(1),
            certificate_expires: Some(now),
            battery_percent: Some(5),
            is_on_mains: Some(false),
            ..well(now)
        };
        let names = faults(&ill, now).into_iter().map(TerminalFault::as_str).collect::<Vec<_>>();
        assert_eq!(
            names,
            [
                "audio_stalled",
                "clock_unsure",
                "mains_lost",
                "battery_low",
                "disk_nearly_full",
                "certificate_due"
            ]
        );
        let silent = Vitals { audio: AudioState::Absent, ..well(now) };
        assert_eq!(faults(&silent, now), [TerminalFault::AudioAbsent]);
    }
}
