//! What is said in one sounding, piece by piece: drill frame, tone, then words in each language.

use protocols::digest::Digest;
use protocols::order::Order;
use protocols::receipt::SoundSource;

use super::io::Segment;

/// Pause between two languages, and after a frame.
const PAUSE_MS: u32 = 600;

/// The language of the frames: everybody in the village understands it.
const FRAME_LANGUAGE: &str = "zh-CN";

/// "This is a drill", said before and after every drill.
pub fn drill_frame_words(language: &str) -> &'static str {
    if language.starts_with("en") { "Drill. This is a drill." } else { "演练，演练。" }
}

/// Said before the real alert that cut a drill.
pub fn drill_aborted_words(language: &str) -> &'static str {
    if language.starts_with("en") {
        "The drill is aborted. What follows is a real warning."
    } else {
        "演练中止，以下是真实预警。"
    }
}

/// The plan of a sounding. `has_clip` says which clips are in the cache; `follows_drill` is true
/// for the Actual order that cut a drill or a test. The source is that of a plan whose choices all
/// fall to the local voice.
pub(crate) fn plan(
    order: &Order,
    has_clip: impl Fn(Digest) -> bool,
    follows_drill: bool,
) -> (Vec<Segment>, SoundSource) {
    let mut plan = Vec::new();
    let pause = Segment::Silence { duration_ms: PAUSE_MS };
    if follows_drill {
        plan.push(Segment::DrillAborted { language: FRAME_LANGUAGE.to_owned() });
        plan.push(pause.clone());
    }
    let frame =
        order.drill.is_some().then(|| Segment::DrillFrame { language: FRAME_LANGUAGE.to_owned() });
    if let Some(frame) = &frame {
        plan.push(frame.clone());
        plan.push(pause.clone());
    }
    plan.push(Segment::Tone {
        event: order.event,
        color: order.color,
        kind: order.kind,
        purpose: order.purpose,
    });
    let mut source = SoundSource::Clip;
    for (index, words) in order.texts.iter().enumerate() {
        if index > 0 {
            plan.push(pause.clone());
        }
        let language = words.language.clone();
        match &words.clip {
            Some(reference) if has_clip(reference.digest) => {
                plan.push(Segment::Clip { reference: reference.clone(), language });
            }
            // The tone begins; what speaks after it is settled when it ends.
            Some(reference) => {
                source = SoundSource::LocalVoice;
                plan.push(Segment::ClipOrVoice {
                    reference: reference.clone(),
                    event: order.event,
                    language,
                    text: words.text.clone(),
                });
            }
            None => {
                source = SoundSource::LocalVoice;
                plan.push(Segment::Phrase { event: order.event, language: language.clone() });
                plan.push(Segment::LocalVoice { language, text: words.text.clone() });
            }
        }
    }
    if let Some(frame) = frame {
        plan.push(pause);
        plan.push(frame);
    }
    (plan, source)
}

/// How long the words of an order last when all of it is clips; `None` when any is not.
pub(crate) fn clips_ms(order: &Order) -> Option<u32> {
    order
        .texts
        .iter()
        .try_fold(0_u32, |sum, words| Some(sum.saturating_add(words.clip.as_ref()?.duration_ms)))
}
