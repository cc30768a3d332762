//! A city with one enrolled village, and the commands of its node.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use tests::harness::city::{City, CityOptions, program};
use tests::harness::clock;
use tests::harness::village::{Card, Village};

/// 灌口镇 坑内村.
pub(crate) const VILLAGE: &str = "350211102201";

const ONLINE_DEADLINE: Duration = Duration::from_mins(1);

/// A dispatcher that serves, and a node that is enrolled and does not run.
pub(crate) struct Rig {
    pub(crate) city: City,
    pub(crate) village: Village,
    pub(crate) folder: PathBuf,
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Rig {
    pub(crate) async fn build(folder: &Path) -> anyhow::Result<Self> {
        let mut city = City::prepare(folder, &CityOptions::default())?;
        city.start().await?;
        let code = city.enrolment_code(VILLAGE, None)?;
        let village = Village::enrol(&folder.join(VILLAGE), VILLAGE, &code)?;
        // Messages are named one by one at this level only.
        village.configure("[log]\nlevel = \"debug\"\n")?;
        Ok(Self { city, village, folder: folder.to_owned() })
    }

    /// The node's state folder.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder.join(VILLAGE).join("state")
    }

    /// The node's journal.
    pub(crate) fn journal(&self) -> PathBuf {
        self.state().join("journal")
    }

    /// A command of the node with its configuration, the card open only while something sounds.
    pub(crate) fn command(&self, name: &str) -> anyhow::Result<Command> {
        let mut command = Command::new(program("edge-node")?);
        command.arg(name).arg("--config").arg(self.village.config_file());
        command.env("TONGLUO_EDGE__AUDIO__KEEP_OPEN", "false");
        Ok(command)
    }

    /// Lets the node run until its log says these words, then ends it.
    pub(crate) async fn run_until(&mut self, words: &str) -> anyhow::Result<()> {
        // The log goes on over all starts.
        let before = self.village.log().matches(words).count();
        self.village.start(&Card::Absent)?;
        let process = self.village.process()?;
        clock::eventually(words, ONLINE_DEADLINE, async || {
            process.check_alive()?;
            Ok((process.log().matches(words).count() > before).then_some(()))
        })
        .await?;
        self.village.stop().await
    }
}

/// Runs a command to its end.
pub(crate) fn ended(command: &mut Command) -> anyhow::Result<Ended> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("run {command:?}"))?;
    Ok(Ended {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}
