//! `say`: tone, then words, and the account of the sound card.

use anyhow::{Context as _, ensure};
use tests::harness::sound::{self, PacedSink};
use tests::harness::wav::{self, Sound, Stretch};

use crate::rig::{Rig, ended};

/// Silence that divides soundings; tone and words follow each other in one.
const GAP: std::time::Duration = std::time::Duration::from_millis(2_500);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn say_sounds_the_tone_and_then_the_words() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let rig = Rig::build(folder.path()).await?;
    let sink = PacedSink::start(folder.path()).await?;
    let file = folder.path().join("say.wav");
    let mut say = rig.command("say")?;
    say.args(["--tone", "11B01", "--color", "red", "请大家到高处去"]);
    sink.capture(&mut say, &file)?;
    let said = ended(&mut say)?;
    ensure!(said.code == Some(0) && said.out.starts_with("Drained: first sound"), "{said:?}");
    let heard = Sound::read_capture(&file)?;
    let all = heard.stretches(GAP);
    let (first, last) = (all.first().context("it sounded")?, all.last().context("it sounded")?);
    let tone = Stretch { begin: first.begin, end: first.begin + wav::RATE as usize };
    ensure!(heard.tonality(tone) > 0.5, "it begins with a tone: {all:?}");
    let end = Stretch { begin: last.end - wav::RATE as usize, end: last.end };
    ensure!(heard.tonality(end) < 0.5, "it ends with words: {all:?}");
    ensure!(heard.clipped_runs() == 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn say_without_a_card_or_a_voice_is_a_failure_that_says_so() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let rig = Rig::build(folder.path()).await?;
    let mut mute = rig.command("say")?;
    sound::without_card(mute.arg("听得见吗"), folder.path())?;
    let mute = ended(&mut mute)?;
    ensure!(mute.code == Some(1) && mute.out.starts_with("NoDevice"), "{mute:?}");
    let mut voiceless = rig.command("say")?;
    voiceless.arg("听得见吗").env("TONGLUO_EDGE__VOICE__PROGRAM", "no-such-voice");
    sound::capture_unpaced(&mut voiceless, &folder.path().join("voiceless.wav"))?;
    let voiceless = ended(&mut voiceless)?;
    ensure!(voiceless.code == Some(1) && voiceless.out.starts_with("NoSpeech"), "{voiceless:?}");
    ensure!(voiceless.err.contains("no-such-voice"), "{voiceless:?}");
    Ok(())
}
