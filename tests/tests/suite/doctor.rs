//! `dispatcher doctor` over a real city: silent when all is well, and each planted fault is named
//! alone, with how to mend it in both languages.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use tests::harness::broker::{Broker, BrokerKind};
use tests::harness::city::{CITY, City, CityOptions, program};
use tests::harness::ports;
use tests::harness::process::run;

use crate::database::Database;

/// One fault: what is set otherwise, which check must name it, and words of both mendings.
struct Fault {
    variables: Vec<(&'static str, String)>,
    check: &'static str,
    mend_zh: &'static str,
    mend_en: &'static str,
}

impl Fault {
    fn of(check: &'static str, mend_zh: &'static str, mend_en: &'static str) -> Self {
        Self { variables: Vec::new(), check, mend_zh, mend_en }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((name, value.into()));
        self
    }
}

/// The exit code, and everything that was said.
fn doctor(city: &City, variables: &[(&str, String)]) -> anyhow::Result<(Option<i32>, String)> {
    let mut command = city.command(&["doctor"]);
    let output = command.envs(variables.iter().cloned()).output().context("run doctor")?;
    Ok((output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned()))
}

fn expect_well(city: &City, variables: &[(&str, String)], what: &str) -> anyhow::Result<()> {
    let (code, said) = doctor(city, variables)?;
    ensure!(code == Some(0), "{what}: exit {code:?}\n{said}");
    ensure!(said.lines().all(|line| line.starts_with("ok ")), "{what}:\n{said}");
    Ok(())
}

fn expect_named(city: &City, fault: &Fault) -> anyhow::Result<()> {
    let (code, said) = doctor(city, &fault.variables)?;
    let check = fault.check;
    ensure!(code == Some(1), "{check}: exit {code:?}\n{said}");
    let faults = said.lines().filter(|line| !line.starts_with("ok ")).collect::<Vec<_>>();
    let [line] = faults[..] else { anyhow::bail!("{check}: not one fault\n{said}") };
    let named = line.split_once(' ').map_or("", |(_, rest)| rest.trim_start());
    ensure!(named.starts_with(check), "{check} is not named: {line}");
    let (zh, en) = line.split_once(" / ").context("two languages")?;
    ensure!(zh.contains(fault.mend_zh), "{check}: {:?} is not in {zh}", fault.mend_zh);
    ensure!(en.contains(fault.mend_en), "{check}: {:?} is not in {en}", fault.mend_en);
    Ok(())
}

/// A key and its certificate by the city's own root.
fn delegated(city: &City, name: &str, region: &str, days: &str) -> anyhow::Result<PathBuf> {
    let out = city.folder().join(name);
    run(Command::new(program("dispatcher")?)
        .args(["key", "delegate", "--name", "厦门", "--region", region, "--days", days, "--root"])
        .arg(city.folder().join("roots/root-active.key"))
        .arg("--out")
        .arg(&out))?;
    Ok(out)
}

/// A copy of the city's database, with something changed in it.
async fn changed(city: &City, name: &str, sql: &str) -> anyhow::Result<String> {
    let copy = city.folder().join(name);
    std::fs::copy(city.folder().join("tongluo.db"), &copy).context("copy the database")?;
    let url = format!("sqlite:{}", copy.display());
    Database::open(&url).await?.run(sql).await?;
    Ok(url)
}

const KEY: &str = "TONGLUO__TRUST__KEY_FILE";
const CERTIFICATE: &str = "TONGLUO__TRUST__CERTIFICATE_FILE";
const DATABASE: &str = "TONGLUO__DATABASE__URL";

fn of_trust(city: &City) -> anyhow::Result<Vec<Fault>> {
    let file = |folder: &Path, name: &str| folder.join(name).display().to_string();
    let short = delegated(city, "short", CITY, "20")?;
    let abroad = delegated(city, "abroad", "350299000000", "400")?;
    Ok(vec![
        Fault::of("certificate", "dispatcher key", "dispatcher key")
            .with(KEY, file(&short, "dispatcher.key"))
            .with(CERTIFICATE, file(&short, "dispatcher.cert")),
        Fault::of("certificate", "配套", "belong together")
            .with(KEY, file(&short, "dispatcher.key")),
        Fault::of("regions", "350299000000 不在区划表中", "the right code")
            .with(KEY, file(&abroad, "dispatcher.key"))
            .with(CERTIFICATE, file(&abroad, "dispatcher.cert")),
    ])
}

async fn of_database(city: &City) -> anyhow::Result<Vec<Fault>> {
    let behind = "delete from migrations where number = (select max(number) from migrations)";
    let behind = changed(city, "behind.db", behind).await?;
    let ahead = "update audit set at = at + 86400000000 where seq = (select max(seq) from audit)";
    let ahead = changed(city, "ahead.db", ahead).await?;
    let empty = changed(city, "empty.db", "delete from regions").await?;
    let nowhere = format!("postgres://tongluo@127.0.0.1:{}/city", ports::free()?);
    Ok(vec![
        Fault::of("database", "启动 dispatcher serve", "start `dispatcher serve`")
            .with(DATABASE, behind),
        Fault::of("clock", "请校时", "set it").with(DATABASE, ahead),
        Fault::of("regions", "dispatcher import regions", "dispatcher import regions")
            .with(DATABASE, empty),
        Fault::of("database", "检查 database.url", "see database.url").with(DATABASE, nowhere),
        // Nobody writes there, root included.
        Fault::of("data folder", "chown", "chown").with(DATABASE, "sqlite:/proc/tongluo.db"),
    ])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_each_planted_fault_and_how_to_mend_it() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut city = City::prepare(folder.path(), &CityOptions::default())?;
    city.officer("admin", "admin", CITY)?;
    city.start().await?;
    expect_well(&city, &[], "while it serves")?;
    city.process()?.terminate().await?;
    expect_well(&city, &[], "while it does not serve")?;

    let mut faults = of_trust(&city)?;
    faults.extend(of_database(&city).await?);
    let nobody = format!("mqtt://127.0.0.1:{}", ports::free()?);
    let taken = TcpListener::bind(("127.0.0.1", 0))?;
    let address = taken.local_addr()?;
    faults.extend([
        Fault::of("port", "server.listen", "server.listen")
            .with("TONGLUO__SERVER__LISTEN", address.to_string()),
        Fault::of("broker port", "mqtt.listen", "mqtt.listen")
            .with("TONGLUO__MQTT__LISTEN", address.to_string()),
        Fault::of("broker", "启动该服务器", "start it").with("TONGLUO__MQTT__URL", nobody.as_str()),
        Fault::of("broker", "mqtt.ca_file", "mqtt.ca_file")
            .with("TONGLUO__MQTT__URL", nobody.replace("mqtt:", "mqtts:")),
        Fault::of("voice", "apt-get install espeak-ng", "apt-get install espeak-ng")
            .with("TONGLUO__SPEECH__ESPEAK", "/nowhere/espeak-ng"),
        Fault::of("configuration", "config.default.toml", "config.default.toml")
            .with("TONGLUO__SERVER__PORT", "1"),
    ]);
    for fault in &faults {
        expect_named(&city, fault)?;
    }
    let broker = Broker::start(BrokerKind::Mosquitto, folder.path(), None).await?;
    expect_well(&city, &[("TONGLUO__MQTT__URL", broker.url.clone())], "with a broker that is there")
}
