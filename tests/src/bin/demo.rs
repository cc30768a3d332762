//! `cargo xtask demo`: plays the story on real parts and leaves `target/demo/report.json`.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::Context as _;
use tests::demo::listen::{self, Capture};
use tests::demo::report::{Outcome, Report, Totals, Versions};
use tests::demo::stage::Stage;
use tests::demo::story::{self, Told};
use tests::harness::process::run;
use tests::harness::wav::Sound;

#[tokio::main]
async fn main() -> ExitCode {
    let is_once = std::env::args().any(|argument| argument == "--once");
    match demo(is_once).await {
        Ok(failures) if failures.is_empty() => ExitCode::SUCCESS,
        Ok(failures) => {
            for failure in failures {
                eprintln!("demo: not true: {failure}");
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn demo(is_once: bool) -> anyhow::Result<Vec<String>> {
    let out = out_folder()?;
    let folder = tempfile::tempdir().context("make a temporary folder")?;
    let played = play(folder.path(), &out, is_once).await;
    keep_logs(folder.path(), &out)?;
    played
}

async fn play(folder: &Path, out: &Path, is_once: bool) -> anyhow::Result<Vec<String>> {
    eprintln!("铜锣 · 三个村，一座城 · three villages, one city\n");
    let stage = Stage::build(folder).await?;
    let mut told = tokio::select! {
        told = story::tell(&stage) => told?,
        _ = tokio::signal::ctrl_c() => anyhow::bail!("interrupted"),
    };
    let sound = stage.sound;
    if !is_once {
        stay_up(&stage).await?;
    }
    let wavs = stage.wavs();
    let logs = stage.villages.iter().map(|v| folder.join(&v.region).join("edge-node.log"));
    let logs = logs.collect::<Vec<_>>();
    let mut onsets = stage.strike().await?.into_iter();

    let mut captures = Vec::new();
    for (index, wav) in wavs.iter().enumerate() {
        let Some(wav) = wav else { continue };
        let kept = out.join(format!("{}.wav", told.alerts[0].terminals[index].id));
        let heard = Sound::read_capture(wav).context("read the capture")?;
        heard.write(&kept).context("keep the capture")?;
        for alert in &mut told.alerts {
            alert.terminals[index].wav = Some(kept.display().to_string());
        }
        let log = std::fs::read_to_string(&logs[index]).context("read the node's log")?;
        captures.push(Capture {
            terminal: told.alerts[0].terminals[index].id.clone(),
            sound: heard,
            origin: listen::origin(&log)?,
            onsets: onsets.next().unwrap_or_default(),
        });
    }
    let issued_at = told.issued_at.clone();
    let mut report = report(told, sound)?;
    report.failures.extend(listen::check(&report, &issued_at, &captures));
    let file = out.join("report.json");
    std::fs::write(&file, serde_json::to_vec_pretty(&report)?).context("write the report")?;
    print(&report, &file);
    Ok(report.failures)
}

fn report(told: Told, sound: &str) -> anyhow::Result<Report> {
    let terminals = told.alerts[0].terminals.clone();
    let targeted = terminals.iter().filter(|t| t.targeted).count();
    let played = terminals.iter().filter(|t| t.outcome == Outcome::Played).count();
    let espeak_ng = run(Command::new("espeak-ng").arg("--version"))?;
    Ok(Report {
        totals: Totals {
            terminals: terminals.len(),
            targeted,
            played,
            coverage: played as f64 / targeted.max(1) as f64,
        },
        terminals,
        alerts: told.alerts,
        cancel_to_silence_ms: told.cancel_to_silence_ms,
        versions: Versions {
            tongluo: env!("CARGO_PKG_VERSION").to_owned(),
            espeak_ng: espeak_ng.lines().next().unwrap_or_default().trim().to_owned(),
            sound: sound.to_owned(),
        },
        failures: told.failures,
    })
}

fn print(report: &Report, file: &Path) {
    let show = |ms: Option<i64>| ms.map_or_else(|| "—".to_owned(), |ms| format!("{ms} ms"));
    for alert in &report.alerts {
        eprintln!("\n{}", alert.title);
        eprintln!("terminal            received  verified  first sound  correction  outcome");
        for t in &alert.terminals {
            eprintln!(
                "{:18}  {:>8}  {:>8}  {:>11}  {:>10}  {:?}",
                t.id,
                show(t.received_ms),
                show(t.verified_ms),
                show(t.first_sound_ms),
                show(t.correction_ms),
                t.outcome
            );
        }
    }
    eprintln!("\nwithdrawn → silent: {}", show(report.cancel_to_silence_ms));
    eprintln!("report: {}", file.display());
}

/// Says where to look and who may log in, until Ctrl-C.
async fn stay_up(stage: &Stage) -> anyhow::Result<()> {
    eprintln!("\nAPI      {}/api/v1  (documents: /api/v1/openapi.json)", stage.city.url);
    eprintln!("metrics  {}/metrics", stage.city.url);
    for officer in [&stage.composer, &stage.commanders[0], &stage.commanders[1], &stage.admin] {
        let (name, password) = (&officer.name, officer.password());
        eprintln!("account  {name}  password {password}  authenticator {}", officer.totp_secret);
    }
    for village in &stage.villages {
        eprintln!("terminal {}  {}", village.id, village.wav.display());
    }
    eprintln!("Ctrl-C ends everything.");
    tokio::signal::ctrl_c().await.context("wait for Ctrl-C")
}

/// `target/demo`, empty.
fn out_folder() -> anyhow::Result<PathBuf> {
    let here = std::env::current_exe().context("ask where this program is")?;
    let target = here.ancestors().nth(2).context("the program lies in target/<profile>")?;
    let out = target.join("demo");
    if out.exists() {
        std::fs::remove_dir_all(&out).context("empty target/demo")?;
    }
    std::fs::create_dir_all(&out).context("make target/demo")?;
    Ok(out)
}

/// The logs of everything that ran, for whoever must find out why.
fn keep_logs(folder: &Path, out: &Path) -> anyhow::Result<()> {
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).context("look for logs")?.flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "log") {
                let place = next.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                std::fs::copy(&path, out.join(format!("{place}-{name}"))).context("keep a log")?;
            }
        }
    }
    eprintln!("demo: logs are in {}", out.display());
    Ok(())
}
