//! `edge-node say`: speak now, print the evidence. The whole way of sound without a network.

use std::process::ExitCode;
use std::time::Duration;

use edge_node::shell::audio::player::Player;
use edge_node::shell::audio::score::{Account, Ending, Part, PlayerEvent, Score};
use edge_node::shell::audio::tone::{Announcement, Tone};
use edge_node::shell::clock;
use edge_node::shell::words::{Making, Words};
use protocols::alert::{AlertColor, BroadcastKind, EventCode};
use protocols::order::Purpose;
use tokio::sync::mpsc;

use super::{ConfigArgs, say_line};

#[derive(Debug, clap::Args)]
pub(super) struct Say {
    #[command(flatten)]
    config: ConfigArgs,
    /// Language of the text (BCP 47).
    #[arg(long, default_value = "zh-CN")]
    lang: String,
    /// Begin with the tone of this hazard (GB/T 35561), such as 11B01.
    #[arg(long, value_name = "CODE")]
    tone: Option<EventCode>,
    /// Colour of the tone; without it, the tone of a notice.
    #[arg(long, value_enum)]
    color: Option<Color>,
    /// Percent of full volume.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u8).range(0..=100))]
    volume: u8,
    /// Seconds to wait first; with `audio.keep_open` the card is open meanwhile.
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    after: u64,
    /// What is said.
    text: String,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Color {
    Red,
    Orange,
    Yellow,
    Blue,
}

impl From<Color> for AlertColor {
    fn from(color: Color) -> Self {
        match color {
            Color::Red => Self::Red,
            Color::Orange => Self::Orange,
            Color::Yellow => Self::Yellow,
            Color::Blue => Self::Blue,
        }
    }
}

impl Say {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.config.load()?;
        super::log::begin(&config.log.level)?;
        let words = Words::new(config.voice.program.clone());
        let (ending, account) = super::runtime()?.block_on(async {
            let (events, receiver) = mpsc::channel(4);
            let player = Player::start(config.audio.card.clone(), config.audio.keep_open, events)?;
            clock::sleep(Duration::from_secs(self.after)).await;
            let mut making = Making::default();
            player.play(self.score(&words, &mut making))?;
            wait(receiver).await
        })?;
        say_line(&report(ending, &account))?;
        Ok(if ending == Ending::Drained { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn score(&self, words: &Words, making: &mut Making) -> Score {
        let mut parts = Vec::new();
        if let Some(event) = self.tone {
            let (purpose, kind) = (Purpose::Alert, BroadcastKind::Actual);
            let color = self.color.map(AlertColor::from);
            let tone = Tone::of(Announcement { purpose, kind, color, event });
            parts.push(Part::Ready(Box::new(tone)));
        }
        parts.push(words.say(&self.lang, &self.text, making));
        Score { id: 1, parts, gain: f32::from(self.volume) / 100.0, start_at: None, skip_ms: 0 }
    }
}

async fn wait(mut events: mpsc::Receiver<PlayerEvent>) -> anyhow::Result<(Ending, Account)> {
    while let Some(event) = events.recv().await {
        match event {
            PlayerEvent::FirstSound { .. } => {}
            PlayerEvent::Ended { ending, account, .. } => return Ok((ending, account)),
        }
    }
    anyhow::bail!("the player ended without a word")
}

fn report(ending: Ending, account: &Account) -> String {
    let first = match (account.first_sound_at, account.first_sound_frame) {
        (Some(at), Some(frame)) => format!("first sound {at} (frame {frame})"),
        (Some(_) | None, _) => "no sound".to_owned(),
    };
    let seconds = account.frames as f64 / 48_000.0;
    format!("{ending:?}: {first}, {seconds:.3} s played, {} underruns", account.underruns)
}
