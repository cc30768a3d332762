//! Soundings: from the engine's plan to the player and back, and the state of the sound card.

use std::path::Path;

use jiff::Timestamp;
use protocols::receipt::Evidence;
use protocols::vitals::AudioState;

use super::Shell;
use crate::engine::io::{Input, Measurements, Segment, SoundFailure, SoundOutcome, SoundingId};
use crate::shell::audio::card::CardError;
use crate::shell::audio::score::{Ending, PlayerEvent, Score};
use crate::shell::{clock, machine};

impl Shell {
    pub(super) fn play(
        &mut self,
        id: SoundingId,
        plan: &[Segment],
        volume_percent: u8,
        start_at: Option<Timestamp>,
        skip_ms: u32,
    ) {
        let (parts, making) = self.words.parts(plan, &mut self.clips, clock::now());
        self.now_on.making = Some((id, making));
        let gain = f32::from(volume_percent) / 100.0;
        let score = Score { id: id.0, parts, gain, start_at, skip_ms };
        if self.player.play(score).is_err() {
            self.now_on.ready.push_back(Input::SoundEnded {
                sounding: id,
                outcome: SoundOutcome::Failed(SoundFailure::DeviceStalled),
                evidence: Evidence::default(),
            });
        }
    }

    pub(super) fn on_player(&mut self, event: PlayerEvent) {
        match event {
            PlayerEvent::FirstSound { id, at } => {
                self.feed(Input::SoundStarted { sounding: SoundingId(id), at });
            }
            PlayerEvent::Ended { id, ending, account } => {
                let sounding = SoundingId(id);
                let making = self.now_on.making.take_if(|(whose, _)| *whose == sounding);
                let source = making.and_then(|(_, making)| making.source(account.words));
                tracing::info!(
                    sounding = id,
                    audio.frames = account.frames,
                    audio.underruns = account.underruns,
                    "sounding {id} ended: {ending:?}"
                );
                let (outcome, audio) = outcome_of(ending);
                let evidence = Evidence {
                    first_sound_at: account.first_sound_at,
                    frames: account.frames,
                    underruns: account.underruns,
                    source,
                    ..Evidence::default()
                };
                self.set_audio(audio);
                self.feed(Input::SoundEnded { sounding, outcome, evidence });
            }
        }
    }

    pub(super) fn on_probe(&mut self, answer: &Result<String, CardError>) {
        self.now_on.probe = None;
        let audio = match answer {
            Ok(_) => AudioState::Present,
            Err(error) => {
                if self.now_on.audio != Some(AudioState::Absent) {
                    tracing::warn!("{error}");
                }
                AudioState::Absent
            }
        };
        self.set_audio(audio);
    }

    /// Tries the card again while it is not known to be present and nothing sounds.
    pub(super) fn probe(&mut self) {
        let is_idle = self.now_on.making.is_none() && self.now_on.probe.is_none();
        if is_idle && self.now_on.audio != Some(AudioState::Present) {
            self.now_on.probe = self.player.probe().ok();
        }
    }

    fn set_audio(&mut self, audio: AudioState) {
        if self.now_on.audio != Some(audio) {
            self.now_on.audio = Some(audio);
            tracing::info!(audio.state = ?audio, "sound card: {audio:?}");
            self.measure();
        }
    }

    pub(super) fn measure(&mut self) {
        let folder = self.journal.path().parent().unwrap_or(Path::new("."));
        let (battery_percent, is_on_mains) = machine::power(Path::new("/sys/class/power_supply"));
        let Some(audio) = self.now_on.audio else { return };
        let measurements = Measurements {
            audio,
            journal_bytes: self.journal.len(),
            disk_free_bytes: machine::disk_free_bytes(folder),
            battery_percent,
            is_on_mains,
        };
        self.feed(Input::Measured(measurements));
    }
}

const fn outcome_of(ending: Ending) -> (SoundOutcome, AudioState) {
    match ending {
        Ending::Drained => (SoundOutcome::Finished, AudioState::Present),
        Ending::Cut => (SoundOutcome::Cut, AudioState::Present),
        Ending::NoDevice => (SoundOutcome::Failed(SoundFailure::NoAudioDevice), AudioState::Absent),
        Ending::Stalled => (SoundOutcome::Failed(SoundFailure::DeviceStalled), AudioState::Stalled),
        Ending::NoSpeech => (SoundOutcome::Failed(SoundFailure::NoSpeech), AudioState::Present),
    }
}
