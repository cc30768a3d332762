//! A dispatcher as its operators make one: keys, configuration, accounts, then `serve`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::api::{Api, totp_code};
use super::broker::BrokerKind;
use super::process::{Process, run};
use super::{clock, ports};

/// Xiamen.
pub const CITY: &str = "350200000000";

/// How long a dispatcher may take from start to ready, migrations and region list included.
const READY_DEADLINE: Duration = Duration::from_mins(1);

/// The password of every account made here: they live in a temporary folder on loopback.
const PASSWORD: &str = "gong-sounds-at-3-am";

/// An account with its second factor.
#[derive(Debug, Clone)]
pub struct Officer {
    /// Login name.
    pub name: String,
    /// Base32 secret of the authenticator.
    pub totp_secret: String,
}

impl Officer {
    /// The password, for people who try the demo.
    pub fn password(&self) -> &'static str {
        PASSWORD
    }
}

/// What differs between the cities that tests build.
#[derive(Debug, Clone, Default)]
pub struct CityOptions {
    /// Database URL; `None` is SQLite in the city's folder.
    pub database_url: Option<String>,
    /// Broker URL; `None` is the embedded one.
    pub broker_url: Option<String>,
    /// By what an external broker with TLS is believed.
    pub broker_ca_file: Option<PathBuf>,
}

/// A dispatcher of Xiamen in a folder of its own.
pub struct City {
    folder: PathBuf,
    program: PathBuf,
    config: PathBuf,
    /// Its database.
    pub database_url: String,
    /// `http://127.0.0.1:<port>`.
    pub url: String,
    /// Port of the embedded broker, where that is used.
    pub mqtt_port: u16,
    process: Option<Process>,
}

/// A program of the workspace, built beside the running one; of the village device what ships
/// (profile `edge`) where it is not beside it.
pub fn program(name: &str) -> anyhow::Result<PathBuf> {
    let here = std::env::current_exe().context("ask where this program is")?;
    let candidates = here.ancestors().flat_map(|at| [at.join(name), at.join("edge").join(name)]);
    let mut built = candidates.filter(|program| program.is_file());
    built.next().with_context(|| format!("{name} is not built: cargo build --workspace"))
}

impl City {
    /// Makes keys and configuration in `folder`. Nothing runs yet.
    pub fn prepare(folder: &Path, options: &CityOptions) -> anyhow::Result<Self> {
        let program = program("dispatcher")?;
        let keys = folder.join("roots");
        let own = folder.join("dispatcher");
        run(Command::new(&program).args(["key", "root", "--out"]).arg(&keys))?;
        run(Command::new(&program)
            .args(["key", "delegate", "--region", CITY, "--name", "厦门市应急广播平台", "--root"])
            .arg(keys.join("root-active.key"))
            .arg("--out")
            .arg(&own))?;
        let sqlite = format!("sqlite:{}", folder.join("tongluo.db").display());
        let database_url = options.database_url.clone().unwrap_or(sqlite);
        let ca_file = options.broker_ca_file.clone().unwrap_or_default();
        let http_port = ports::free()?;
        let mqtt_port = ports::free()?;
        let config = folder.join("dispatcher.toml");
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:{http_port}\"\n\
             [database]\nurl = \"{database_url}\"\n\
             [mqtt]\nurl = \"{}\"\nlisten = \"127.0.0.1:{mqtt_port}\"\nca_file = \"{}\"\n\
             password = \"{PASSWORD}\"\n\
             [trust]\nkey_file = \"{own}/dispatcher.key\"\n\
             certificate_file = \"{own}/dispatcher.cert\"\nroots_file = \"{roots}\"\n\
             [audit]\nfolder = \"{record}\"\n",
            options.broker_url.clone().unwrap_or_default(),
            ca_file.display(),
            own = own.display(),
            record = folder.join("record").display(),
            roots = keys.join("roots.pub").display(),
        );
        std::fs::write(&config, text).context("write the dispatcher's configuration")?;
        let url = format!("http://127.0.0.1:{http_port}");
        let folder = folder.to_owned();
        Ok(Self { folder, program, config, database_url, url, mqtt_port, process: None })
    }

    /// A command of the dispatcher with this city's configuration.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(&self.config).args(words);
        command
    }

    /// The folder of its files: `roots/`, `dispatcher/`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes users and access rules of an external broker.
    pub fn write_broker_rules(&self, kind: BrokerKind, rules: &Path) -> anyhow::Result<()> {
        let Some(name) = kind.name() else { return Ok(()) };
        run(self.command(&["broker-config", name, "--out"]).arg(rules))?;
        Ok(())
    }

    /// Makes an account with this role in this region; its second factor is printed once.
    pub fn officer(&self, name: &str, role: &str, region: &str) -> anyhow::Result<Officer> {
        let file = self.folder.join(format!("{name}.password"));
        std::fs::write(&file, PASSWORD).context("write the password")?;
        let grant = format!("{role}:{region}");
        let mut add = self.command(&["user", "add", name, "--password-stdin", "--grant", &grant]);
        let password = std::fs::File::open(&file).context("open the password")?;
        let output = add.stdin(password).output().context("run user add")?;
        let printed = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "user add: {printed}{errors}");
        let secret = printed.split("secret=").nth(1).context("user add prints an otpauth URI")?;
        let secret = secret.chars().take_while(char::is_ascii_alphanumeric).collect();
        Ok(Officer { name: name.to_owned(), totp_secret: secret })
    }

    /// Starts `serve` and waits until it is ready.
    pub async fn start(&mut self) -> anyhow::Result<()> {
        let mut process = self.launch(&[])?;
        let api = Api::anonymous(&self.url)?;
        clock::eventually("the dispatcher is ready", READY_DEADLINE, async || {
            process.check_alive()?;
            let reply = api.send(reqwest::Method::GET, "/readyz", None).await;
            Ok(reply.is_ok_and(|reply| reply.status.is_success()).then_some(()))
        })
        .await?;
        self.process = Some(process);
        Ok(())
    }

    /// Starts `serve` with these variables in its environment, and waits for nothing.
    pub fn launch(&self, environment: &[(&str, &str)]) -> anyhow::Result<Process> {
        let mut serve = self.command(&["serve"]);
        serve.envs(environment.iter().copied());
        Process::start("dispatcher", &self.folder, &mut serve)
    }

    /// The running process.
    pub fn process(&mut self) -> anyhow::Result<&mut Process> {
        self.process.as_mut().context("the dispatcher is not running")
    }

    /// Pulls its plug.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.process()?.kill()?;
        self.process = None;
        Ok(())
    }

    /// Nobody at its API.
    pub fn anonymous(&self) -> anyhow::Result<Api> {
        Api::anonymous(&self.url)
    }

    /// Logs an officer in, with the second factor shown.
    pub async fn log_in(&self, officer: &Officer) -> anyhow::Result<Api> {
        let shown = json!({
            "name": officer.name,
            "password": PASSWORD,
            "code": totp_code(&officer.totp_secret)?,
        });
        let api = self.anonymous()?;
        let session = api.post("/api/v1/sessions", &shown).await?;
        Ok(api.bearing(text(&session, "secret")?))
    }

    /// Its configuration.
    pub fn config_file(&self) -> &Path {
        &self.config
    }

    /// Plans a terminal and returns its enrolment code.
    pub fn enrolment_code(
        &self,
        village: &str,
        place: Option<(f64, f64)>,
    ) -> anyhow::Result<String> {
        let mut command = self.command(&["terminal", "enrol", "--village", village]);
        if let Some((lat, lon)) = place {
            command.args(["--lat", &lat.to_string(), "--lon", &lon.to_string()]);
        }
        let printed = run(&mut command)?;
        let code = printed.split_whitespace().find(|word| word.starts_with("tongluo1:"));
        Ok(code.context("terminal enrol prints a code")?.to_owned())
    }
}

/// A text field of a JSON object.
pub fn text<'v>(value: &'v Value, field: &str) -> anyhow::Result<&'v str> {
    value[field].as_str().with_context(|| format!("no text `{field}` in {value}"))
}
