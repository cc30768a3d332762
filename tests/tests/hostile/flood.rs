//! Ten thousand forgeries a second, while a red alert must sound.

use std::time::Duration;

use anyhow::ensure;
use tests::attack::flood::{self, Plan};
use tests::attack::stage::LIFE;

/// Receipts of refusals in a test of a minute or two: one for each (reason, signer) a minute, and
/// the flood has four reasons and three signers.
const RECEIPTS_MAX: u64 = 60;

/// Bytes of the node's log in such a test.
const LOG_BYTES_MAX: usize = 64 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_red_alert_sounds_amid_ten_thousand_forgeries_a_second() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let plan = Plan { lasts: Duration::from_secs(10), a_second: 10_000 };
    let report = flood::run(folder.path(), plan).await?;
    println(&format!("{report:?}"));
    ensure!(report.flooded_lag_ms < LIFE.as_millis(), "it sounds while it is valid: {report:?}");
    ensure!(report.soundings == 2, "nothing forged sounds: {report:?}");
    ensure!(report.counted > 0, "refusals are counted in vitals: {report:?}");
    ensure!(report.receipts <= RECEIPTS_MAX, "receipts are bounded: {report:?}");
    ensure!(report.log_bytes <= LOG_BYTES_MAX, "the log is bounded: {report:?}");
    ensure!(report.receipts > 0 && report.receipts < report.counted, "{report:?}");
    Ok(())
}

/// The figures stand in the output of the test, for whoever compares runs.
fn println(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{text}");
}
