//! One figure: what was measured, how much, beside whom, against which goal; as a line and as JSON.

use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;

/// Measurements of one thing, in the figure's unit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spread {
    /// The one in the middle.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// How many there are.
    pub runs: usize,
}

impl Spread {
    /// Of at least one measurement.
    pub fn of(values: &[f64]) -> anyhow::Result<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (first, last) = (sorted.first(), sorted.last());
        let (min, max) = (*first.context("nothing was measured")?, *last.context("nothing")?);
        Ok(Self { median: sorted[sorted.len() / 2], min, max, runs: sorted.len() })
    }
}

/// Somebody else who did the same, or the least that anybody must do, in the same run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Peer {
    /// Who.
    pub name: String,
    /// How much.
    pub spread: Spread,
    /// Ours over theirs, by medians.
    pub ratio: f64,
}

/// What is to be reached.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Goal {
    /// The bound on the median.
    pub median_at_most: f64,
    /// The bound on every measurement, where there is one.
    pub max_at_most: Option<f64>,
}

/// Whether it was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It was.
    Met,
    /// It was not; `profile` says where the time or memory went.
    Missed,
    /// Nothing was asked for.
    NoGoal,
}

/// A figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// Names its file.
    pub name: String,
    /// What was measured.
    pub what: String,
    /// Unit of all numbers.
    pub unit: &'static str,
    /// What it came to.
    pub ours: Spread,
    /// Beside whom.
    pub peer: Option<Peer>,
    /// What is to be reached.
    pub goal: Option<Goal>,
    /// Whether it was.
    pub verdict: Verdict,
    /// Of a goal that was missed: what a profile showed, where one was taken.
    pub profile: Option<&'static str>,
    /// What a reader must know to judge the number.
    pub notes: Vec<String>,
    /// Load of the machine (one minute's average) before and after: others make figures worse.
    pub load: [f64; 2],
}

impl Figure {
    /// A figure without peer or goal.
    pub fn new(name: &str, what: &str, unit: &'static str, values: &[f64]) -> anyhow::Result<Self> {
        Ok(Self {
            name: name.to_owned(),
            what: what.to_owned(),
            unit,
            ours: Spread::of(values).with_context(|| name.to_owned())?,
            peer: None,
            goal: None,
            verdict: Verdict::NoGoal,
            profile: None,
            notes: Vec::new(),
            load: [0.0; 2],
        })
    }

    /// Beside this peer, in the same unit.
    pub fn beside(mut self, name: &str, values: &[f64]) -> anyhow::Result<Self> {
        let spread = Spread::of(values).with_context(|| name.to_owned())?;
        let ratio = self.ours.median / spread.median.max(f64::MIN_POSITIVE);
        self.peer = Some(Peer { name: name.to_owned(), spread, ratio });
        Ok(self)
    }

    /// Against this bound on the median.
    #[must_use]
    pub fn at_most(self, median_at_most: f64) -> Self {
        self.never_above(Goal { median_at_most, max_at_most: None })
    }

    /// Against this goal.
    #[must_use]
    pub fn never_above(mut self, goal: Goal) -> Self {
        let is_met = self.ours.median <= goal.median_at_most
            && goal.max_at_most.is_none_or(|bound| self.ours.max <= bound);
        self.goal = Some(goal);
        self.verdict = if is_met { Verdict::Met } else { Verdict::Missed };
        self
    }

    /// What a profile showed of what keeps it from its goal; said where that is missed.
    #[must_use]
    pub fn profiled(mut self, showed: &'static str) -> Self {
        self.profile = (self.verdict == Verdict::Missed).then_some(showed);
        self
    }

    /// With something to know about it.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Writes `<name>.json`.
    pub fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let file = folder.join(format!("{}.json", self.name));
        let text = serde_json::to_vec_pretty(self).context("a figure is JSON")?;
        std::fs::write(&file, text).with_context(|| format!("write {}", file.display()))
    }

    /// Its line of the table.
    pub fn line(&self) -> String {
        let ours = &self.ours;
        let peer = self.peer.as_ref();
        let ratio = peer.map(|peer| format!("{:.2}", peer.ratio)).unwrap_or_default();
        let theirs = peer.map(|peer| short(peer.spread.median)).unwrap_or_default();
        let goal = match self.goal {
            None => String::new(),
            Some(Goal { median_at_most, max_at_most: None }) => {
                format!("≤ {}", short(median_at_most))
            }
            Some(Goal { median_at_most, max_at_most: Some(max) }) => {
                format!("≤ {}, max {}", short(median_at_most), short(max))
            }
        };
        let verdict = match self.verdict {
            Verdict::Met => "met",
            Verdict::Missed => "missed",
            Verdict::NoGoal => "",
        };
        let spread = format!("{} – {}", short(ours.min), short(ours.max));
        let beside = peer.map(|peer| format!(" · {}", peer.name)).unwrap_or_default();
        format!(
            "{:>9} {:<5} {spread:>19}  {theirs:>9}  {ratio:>6}  {goal:>16}  {verdict:<6}  {}{beside}",
            short(ours.median),
            self.unit,
            self.what
        )
    }
}

/// The head of the table.
pub(super) fn head() -> String {
    format!(
        "{:>9} {:<5} {:>19}  {:>9}  {:>6}  {:>16}  {:<6}  what · peer",
        "median", "", "min – max", "peer", "ratio", "goal", ""
    )
}

/// Three figures that count.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure() -> Figure {
        Figure::new("a", "b", "ms", &[3.0, 1.0, 2.0]).expect("measured")
    }

    #[test]
    fn the_median_decides_and_a_bound_on_the_greatest_decides_too() {
        assert_eq!(figure().at_most(2.0).profiled("why").verdict, Verdict::Met);
        let missed = figure().at_most(1.9).profiled("why");
        assert_eq!((missed.verdict, missed.profile), (Verdict::Missed, Some("why")));
        let goal = Goal { median_at_most: 2.0, max_at_most: Some(2.5) };
        assert_eq!(figure().never_above(goal).verdict, Verdict::Missed);
    }

    #[test]
    fn a_peer_is_compared_by_medians() {
        let figure = figure().beside("somebody", &[4.0, 4.0, 9.0]).expect("measured");
        assert_eq!(figure.peer.map(|peer| peer.ratio), Some(0.5));
        assert!(Spread::of(&[]).is_err());
    }
}
