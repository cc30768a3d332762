//! Programs that are told to die at a point, and die there.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use reqwest::Method;
use tests::harness::api::Api;
use tests::harness::city::{City, CityOptions};
use tests::harness::clock;
use tests::harness::process::{Process, tail};
use tests::harness::village::{Card, Village};

/// How long a program may take to reach its point: a restart, a connection after a pause that
/// doubles, and a sounding, on a busy machine.
const DEATH_DEADLINE: Duration = Duration::from_secs(90);

/// How long a dispatcher may take until it is ready.
const READY_DEADLINE: Duration = Duration::from_mins(1);

/// SIGKILL.
const KILLED: i32 = 9;

/// Where the programs of a scenario note the points that they reach.
#[derive(Debug, Clone)]
pub(crate) struct Hits(PathBuf);

impl Hits {
    pub(crate) fn below(folder: &Path) -> Self {
        Self(folder.join("hits"))
    }

    /// What a program is told that dies at `point`, or that only notes what it reaches.
    pub(crate) fn environment<'p>(&'p self, point: Option<&'p str>) -> Vec<(&'p str, &'p str)> {
        let file = self.0.to_str().unwrap_or_default();
        let kill = point.map(|point| ("TONGLUO_KILL_POINT", point));
        kill.into_iter().chain([("TONGLUO_KILL_HITS", file)]).collect()
    }

    /// Prints how often each of these points was reached, and fails for one that never was.
    pub(crate) fn report(&self, points: &[&str]) -> anyhow::Result<()> {
        let noted = std::fs::read_to_string(&self.0).context("read the hits")?;
        let mut count = BTreeMap::<&str, usize>::new();
        for name in noted.lines() {
            *count.entry(name).or_default() += 1;
        }
        for point in points {
            let hits = count.get(point).copied().unwrap_or_default();
            eprintln!("{hits:6}  {point}");
            ensure!(hits > 0, "{point} was never reached");
        }
        Ok(())
    }
}

/// Waits until a process has killed itself.
pub(crate) async fn died(process: &mut Process, point: &str) -> anyhow::Result<()> {
    let what = format!("death at {point}");
    let ended = clock::eventually(&what, DEATH_DEADLINE, async || process.ended()).await;
    let ended = ended.with_context(|| tail(&process.log()))?;
    ensure!(ended.signal() == Some(KILLED), "at {point}: {ended}\n{}", tail(&process.log()));
    Ok(())
}

/// A dispatcher that dies.
pub(crate) struct Platform {
    pub(crate) city: City,
    process: Option<Process>,
    hits: Hits,
}

impl Platform {
    pub(crate) fn prepare(folder: &Path, options: &CityOptions) -> anyhow::Result<Self> {
        let city = City::prepare(folder, options)?;
        Ok(Self { city, process: None, hits: Hits::below(folder) })
    }

    /// Starts it, not to die, and waits until it is ready.
    pub(crate) async fn start(&mut self) -> anyhow::Result<()> {
        self.end()?;
        let mut process = self.city.launch(&self.hits.environment(None))?;
        until_ready(&self.city.anonymous()?, &mut process).await?;
        self.process = Some(process);
        Ok(())
    }

    /// Starts it once for each of these points, and each time waits until it has died there.
    pub(crate) async fn die_at(&mut self, points: &[&str]) -> anyhow::Result<()> {
        self.end()?;
        for point in points {
            let mut process = self.city.launch(&self.hits.environment(Some(point)))?;
            died(&mut process, point).await?;
        }
        Ok(())
    }

    /// Starts it to die at `point`, waits until it is ready, and leaves it to its fate.
    pub(crate) async fn doom(&mut self, point: &str) -> anyhow::Result<()> {
        self.end()?;
        let mut process = self.city.launch(&self.hits.environment(Some(point)))?;
        until_ready(&self.city.anonymous()?, &mut process).await?;
        self.process = Some(process);
        Ok(())
    }

    /// Waits until its fate has met it.
    pub(crate) async fn died(&mut self, point: &str) -> anyhow::Result<()> {
        died(self.process()?, point).await?;
        self.process = None;
        Ok(())
    }

    /// The running process.
    pub(crate) fn process(&mut self) -> anyhow::Result<&mut Process> {
        self.process.as_mut().context("the dispatcher is not running")
    }

    /// Pulls its plug, if it runs.
    pub(crate) fn end(&mut self) -> anyhow::Result<()> {
        self.process.take().map_or(Ok(()), |mut process| process.kill())
    }
}

async fn until_ready(nobody: &Api, process: &mut Process) -> anyhow::Result<()> {
    clock::eventually("the dispatcher is ready", READY_DEADLINE, async || {
        process.check_alive()?;
        let reply = nobody.send(Method::GET, "/readyz", None).await;
        Ok(reply.is_ok_and(|reply| reply.status.is_success()).then_some(()))
    })
    .await
}

/// A node that dies.
pub(crate) struct Node {
    pub(crate) village: Village,
    /// How often it died so far, each time perhaps in mid-sounding.
    pub(crate) deaths: usize,
    hits: Hits,
}

impl Node {
    /// Enrols one more terminal of this village; its folder lies in `folder`.
    pub(crate) fn enrol(
        city: &City,
        folder: &Path,
        name: &str,
        region: &str,
    ) -> anyhow::Result<Self> {
        let code = city.enrolment_code(region, None)?;
        let village = Village::enrol(&folder.join(name), region, &code)?;
        Ok(Self { village, deaths: 0, hits: Hits::below(folder) })
    }

    /// Starts it, not to die.
    pub(crate) fn start(&mut self) -> anyhow::Result<()> {
        self.live(None)
    }

    /// Starts it to die at `point`.
    pub(crate) fn doom(&mut self, point: &str) -> anyhow::Result<()> {
        self.live(Some(point))
    }

    /// A card without a pace swallows silence as fast as it can: it is open only for a sounding.
    fn live(&mut self, point: Option<&str>) -> anyhow::Result<()> {
        let mut environment = self.hits.environment(point);
        environment.push(("TONGLUO_EDGE__AUDIO__KEEP_OPEN", "false"));
        self.village.start_with(&Card::Unpaced, &environment)
    }

    /// Waits until its fate has met it.
    pub(crate) async fn died(&mut self, point: &str) -> anyhow::Result<()> {
        let id = self.village.id.clone();
        died(self.village.process()?, point).await.with_context(|| id)?;
        self.deaths += 1;
        Ok(())
    }

    /// Starts it once for each of these points, and each time waits until it has died there.
    pub(crate) async fn die_at(&mut self, points: &[&str]) -> anyhow::Result<()> {
        for point in points {
            self.doom(point)?;
            self.died(point).await?;
        }
        Ok(())
    }

    /// Pulls its plug.
    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        self.deaths += 1;
        self.village.kill()
    }
}
