//! A red alert amid forgeries: how much later it sounds than in quiet.

use std::path::Path;
use std::time::Duration;

use anyhow::ensure;

use super::figure::Figure;
use crate::attack::flood::{self, Plan};
use crate::attack::stage::LIFE;

/// As long and as much as a node must bear.
const PLAN: Plan = Plan { lasts: Duration::from_mins(1), a_second: 10_000 };

/// One minute of flood on one node, beside the same alert before it.
pub(super) async fn red_alert(folder: &Path) -> anyhow::Result<Vec<Figure>> {
    let report = flood::run(folder, PLAN).await?;
    ensure!(report.soundings == 2, "something forged sounded, or a true alert did not: {report:?}");
    let what = format!("issued → first sound amid {:.0} forgeries a second", report.sent_a_second);
    let figure = Figure::new("flood", &what, "ms", &[report.flooded_lag_ms as f64])?
        .beside("the same in quiet", &[report.quiet_lag_ms as f64])?
        .at_most(LIFE.as_millis() as f64)
        .profiled(
            "the broker's queue of the node is full of forgeries, and its true orders are dropped",
        )
        .note("the goal is that it sounds before it expires")
        .note(format!(
            "{} forgeries in a minute; the node counted {} and reported {} of them in receipts",
            report.sent, report.counted, report.receipts
        ));
    Ok(vec![figure])
}
