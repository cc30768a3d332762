//! The vendor's terminal: enrolled by code, run as a process, heard through what it says it played.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use serde_json::Value;
use tests::harness::city::text;
use tests::harness::process::{Process, run};

/// Debian's Python, which has Debian's packages.
const PYTHON: &str = "/usr/bin/python3";

/// Characters a second of the simulated voice: twice the pace of a reader.
const CHARACTERS_PER_S: &str = "12";

/// The workspace's root.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}

/// A script or `-m` module of the vendor.
pub(crate) fn python(script: &str) -> Command {
    let mut command = Command::new(PYTHON);
    let folder = workspace().join("tests/conformance");
    command.current_dir(folder).env("PYTHONDONTWRITEBYTECODE", "1").arg(script);
    command
}

fn terminal(verb: &str) -> Command {
    let mut command = python("-m");
    command.args(["terminal", verb]);
    command
}

/// A terminal in a folder of its own.
pub(crate) struct Vendor {
    pub(crate) id: String,
    folder: PathBuf,
    process: Option<Process>,
}

impl Vendor {
    /// Enrols with `code`.
    pub(crate) fn enrol(folder: &Path, code: &str) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder).context("make the terminal's folder")?;
        run(terminal("enrol").arg(code).arg(folder))?;
        let file = std::fs::read(folder.join("identity.json")).context("read the identity")?;
        let identity: Value = serde_json::from_slice(&file).context("an identity is JSON")?;
        let id = text(&identity["grant"], "terminal")?.to_owned();
        Ok(Self { id, folder: folder.to_owned(), process: None })
    }

    /// Starts it.
    pub(crate) fn start(&mut self) -> anyhow::Result<()> {
        let mut command = terminal("run");
        command.arg(&self.folder).args(["--characters-per-s", CHARACTERS_PER_S]);
        self.process = Some(Process::start("terminal", &self.folder, &mut command)?);
        Ok(())
    }

    /// Pulls its plug.
    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        self.process.as_mut().context("it runs")?.kill()?;
        self.process = None;
        Ok(())
    }

    /// Ends it as a service manager does.
    pub(crate) async fn stop(&mut self) -> anyhow::Result<()> {
        let status = self.process.as_mut().context("it runs")?.terminate().await?;
        anyhow::ensure!(status.success(), "it ended with {status}: {}", self.log());
        self.process = None;
        Ok(())
    }

    /// What it played: one object for each sounding that began, drained or was cut.
    pub(crate) fn played(&self) -> anyhow::Result<Vec<Value>> {
        let text = std::fs::read_to_string(self.folder.join("played.jsonl"));
        let text = text.context("read what was played")?;
        // The last line of a killed terminal may be torn.
        Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    /// The words of each sounding that began, and how each ended.
    pub(crate) fn story(&self) -> anyhow::Result<Vec<String>> {
        let tell = |line: &Value| {
            let event = line["event"].as_str().unwrap_or_default();
            let detail = match event {
                "began" => words(line),
                _ => line["reason"].as_str().unwrap_or_default().to_owned(),
            };
            format!("{event} {} {detail}", line["repeat"]).trim_end().to_owned()
        };
        Ok(self.played()?.iter().map(tell).collect())
    }

    /// Its log, for a failure.
    pub(crate) fn log(&self) -> String {
        let log = std::fs::read_to_string(self.folder.join("terminal.log")).unwrap_or_default();
        format!("{}:\n{}", self.id, tests::harness::process::tail(&log))
    }
}

fn words(line: &Value) -> String {
    let segments = line["segments"].as_array().cloned().unwrap_or_default();
    let words = segments.iter().filter_map(|segment| segment["words"].as_str());
    words.filter(|words| !words.is_empty()).collect::<Vec<_>>().join(" ")
}
