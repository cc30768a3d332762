//! Holds what happened against what the story promises.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::report::{AlertReport, AtTerminal, Outcome};
use super::stage::Stage;
use super::steps::{Step, Steps};
use super::story::Told;

/// One alert at each terminal of the stage.
pub(super) fn at_terminals(
    stage: &Stage,
    alert: &str,
    title: &str,
    issued_at: Timestamp,
    withdrawn_at: Option<Timestamp>,
    steps: &Steps,
    meant: &[&String],
) -> AlertReport {
    let wavs = stage.wavs();
    let since = |from: Timestamp, at: Option<Timestamp>| Some(ms(from, at?));
    let terminals = stage.villages.iter().zip(wavs).map(|(village, wav)| {
        let step = steps.of(&village.id, false);
        let correction = steps.of(&village.id, true);
        AtTerminal {
            id: village.id.clone(),
            region: village.region.clone(),
            targeted: meant.contains(&&village.id),
            outcome: outcome(step),
            received_ms: since(issued_at, step.and_then(|s| s.accepted_at)),
            verified_ms: since(issued_at, step.and_then(|s| s.verified_at)),
            first_sound_ms: since(issued_at, step.and_then(|s| s.first_sound_at)),
            correction_ms: withdrawn_at
                .and_then(|from| since(from, correction.and_then(|s| s.first_sound_at))),
            finished: step.is_some_and(|s| s.finished_at.is_some()),
            wav: wav.map(|path| path.display().to_string()),
        }
    });
    AlertReport { alert: alert.to_owned(), title: title.to_owned(), terminals: terminals.collect() }
}

/// Milliseconds from `from` to `at`.
fn ms(from: Timestamp, at: Timestamp) -> i64 {
    i64::try_from(at.duration_since(from).as_millis()).unwrap_or(i64::MAX)
}

fn outcome(step: Option<&Step>) -> Outcome {
    match step {
        Some(step) if step.finished_at.is_some() => Outcome::Played,
        Some(step) if step.reason.as_deref() == Some("out_of_area") => Outcome::OutOfArea,
        Some(step) if step.state == "refused" => Outcome::Refused,
        Some(_) | None => Outcome::Silent,
    }
}

/// Until the last terminal was silent; `None` unless each was cut.
pub(super) fn silence_ms(steps: &Steps, meant: &[&String], from: Timestamp) -> Option<i64> {
    let times = meant.iter().map(|id| Some(ms(from, steps.of(id, false)?.cut_at?)));
    times.collect::<Option<Vec<_>>>()?.into_iter().max()
}

/// What should have been true and was not.
pub(super) fn failures(told: &Told, near: &str, far: &str) -> Vec<String> {
    let mut failures = Vec::new();
    let mut check = |holds: bool, what: &str| {
        if !holds {
            failures.push(what.to_owned());
        }
    };
    let outcomes = |alert: usize| {
        told.alerts[alert]
            .terminals
            .iter()
            .map(|t| (t.id.as_str(), t.outcome))
            .collect::<BTreeMap<_, _>>()
    };
    let (first, second) = (outcomes(0), outcomes(1));
    check(
        first.values().filter(|o| **o == Outcome::Played).count() == 2,
        "two towns heard the first alert",
    );
    check(first.get(far) == Some(&Outcome::Silent), "the third village stayed silent");
    check(
        second.get(near) == Some(&Outcome::Played),
        "the polygon's village heard the second alert",
    );
    check(second.get(far) == Some(&Outcome::OutOfArea), "the third node reported out_of_area");
    check(told.cancel_to_silence_ms.is_some(), "the withdrawal cut running speech in both towns");
    let corrected = told.alerts[0].terminals.iter().filter(|t| t.correction_ms.is_some()).count();
    check(corrected == 2, "the correction was heard in both towns");
    for alert in &told.alerts {
        for terminal in alert.terminals.iter().filter(|t| t.outcome == Outcome::Played) {
            let times = [terminal.received_ms, terminal.verified_ms, terminal.first_sound_ms];
            check(
                times.iter().all(Option::is_some) && times.is_sorted(),
                &format!("{} received, verified, sounded in this order", terminal.id),
            );
        }
    }
    failures
}
