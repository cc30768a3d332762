//! `edge-node run`: put the parts together and hand them to the run loop.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use edge_node::engine::quiet::{Hours, QuietTable, Volume};
use edge_node::engine::self_test::AudibleTest;
use edge_node::engine::{Config as EngineConfig, Engine};
use edge_node::shell::audio::player::Player;
use edge_node::shell::clips::ClipStore;
use edge_node::shell::config::Config;
use edge_node::shell::fetch::Fetcher;
use edge_node::shell::http::Http;
use edge_node::shell::identity::Identity;
use edge_node::shell::journal::Journal;
use edge_node::shell::mqtt::{self, Access};
use edge_node::shell::run::{Ongoing, Shell, Sources};
use edge_node::shell::words::Words;
use edge_node::shell::{clock, machine, stick};
use protocols::alert::{AlertColor, BroadcastKind};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::ConfigArgs;

/// Events of the player that may wait for the run loop: two a sounding.
const PLAYER_EVENTS_MAX: usize = 16;

/// Presses of the local key that may wait; further ones mean the same.
const PRESSES_MAX: usize = 1;

/// Longest goodbye to the broker.
const GOODBYE: Duration = Duration::from_secs(3);

/// Name of the journal in the state folder.
pub(super) const JOURNAL_FILE: &str = "journal";

/// Name of the clip cache in the state folder.
const CLIPS_FOLDER: &str = "clips";

#[derive(Debug, clap::Args)]
pub(super) struct Run {
    #[command(flatten)]
    config: ConfigArgs,
}

impl Run {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.config.load()?;
        super::log::begin(&config.log.level)?;
        super::runtime()?.block_on(serve(config))?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let began = clock::monotonic();
    let identity = Identity::load(&config.state.dir)?;
    let terminate = signal(SignalKind::terminate())?;
    let interrupt = signal(SignalKind::interrupt())?;
    let local_stop = watch_key(signal(SignalKind::user_defined1())?);

    let (journal, contents) = Journal::open(&config.state.dir.join(JOURNAL_FILE))?;
    let clips = ClipStore::open(&config.state.dir.join(CLIPS_FOLDER), config.clips.bytes_max)
        .context("clip cache")?;
    let (player_events, player_receiver) = mpsc::channel(PLAYER_EVENTS_MAX);
    let card = config.audio.card.clone();
    let player = Player::start(card, config.audio.keep_open, player_events)?;
    let media_url = or_enrolled(&config.network.media_url, &identity.media_url);
    let (fetcher, fetched) = Fetcher::new(http(&config, media_url)?, media_url, random_seed()?);
    let roots = identity.roots().map_err(anyhow::Error::msg)?;

    let stop = CancellationToken::new();
    let (link, link_task) =
        mqtt::start(&access(&config, &identity)?, random_seed()?, stop.clone())?;
    let mut shell = Shell {
        terminal: identity.terminal,
        engine: Engine::new(engine_config(&config, &identity)?),
        journal,
        clips,
        words: Words::new(config.voice.program.clone()),
        player,
        fetcher,
        roots,
        began,
        now_on: Ongoing::default(),
    };
    tracing::info!(terminal = %identity.terminal, "terminal {} begins", identity.terminal);
    shell.boot(contents, machine::is_clock_trusted(config.clock.trust))?;
    let stick = stick::watch(config.stick.folder.clone());
    let sources = Sources { link, player: player_receiver, fetched, local_stop, stick };
    shell.run(sources, until_signal(terminate, interrupt)).await;

    tracing::info!("ending");
    stop.cancel();
    drop(shell);
    // A broker that does not answer the goodbye will say it for us, by the last will.
    let _ = tokio::time::timeout(GOODBYE, link_task).await;
    Ok(())
}

async fn until_signal(mut terminate: Signal, mut interrupt: Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// SIGUSR1 as the local stop key; in the field a GPIO daemon sends it.
fn watch_key(mut key: Signal) -> mpsc::Receiver<()> {
    let (presses, receiver) = mpsc::channel(PRESSES_MAX);
    tokio::spawn(async move {
        while key.recv().await.is_some() {
            if presses.send(()).await.is_err() {
                return;
            }
        }
    });
    receiver
}

pub(super) fn or_enrolled<'a>(configured: &'a str, enrolled: &'a str) -> &'a str {
    if configured.is_empty() { enrolled } else { configured }
}

/// A client for this URL. Authorities are read where they are needed, so that plain HTTP costs no
/// memory for them; a machine that has none still runs, and speaks by its own voice.
pub(super) fn http(config: &Config, url: &str) -> anyhow::Result<Http> {
    let ca_file = &config.network.ca_file;
    let is_named = !ca_file.as_os_str().is_empty();
    if !is_named && !url.starts_with("https:") {
        return Ok(Http::new(&[])?);
    }
    let authorities = match mqtt::read_authorities(ca_file) {
        Ok(authorities) => authorities,
        Err(error) if is_named => return Err(error).context(ca_file.display().to_string()),
        Err(error) => {
            tracing::warn!("{}: {error}; no https server is believed", mqtt::SYSTEM_AUTHORITIES);
            Vec::new()
        }
    };
    Ok(Http::new(&authorities)?)
}

fn access(config: &Config, identity: &Identity) -> anyhow::Result<Access> {
    let url = or_enrolled(&config.network.mqtt_url, &identity.mqtt_url).to_owned();
    let (_, _, is_tls) = mqtt::parse_url(&url)?;
    let authorities = if is_tls {
        mqtt::read_authorities(&config.network.ca_file).context("network.ca_file")?
    } else {
        Vec::new()
    };
    Ok(Access {
        terminal: identity.terminal,
        password: identity.mqtt_password.clone(),
        url,
        authorities,
        keep_alive: Duration::from_secs(config.network.keep_alive_s),
    })
}

fn engine_config(config: &Config, identity: &Identity) -> anyhow::Result<EngineConfig> {
    Ok(EngineConfig {
        terminal: identity.terminal,
        position: identity.position(),
        roots: identity.roots().map_err(anyhow::Error::msg)?,
        key: identity.key().map_err(anyhow::Error::msg)?,
        version: concat!("edge-node ", env!("CARGO_PKG_VERSION")).to_owned(),
        seed: random_seed()?,
        quiet: quiet_table(config)?,
        volume: Volume::new(config.volume.routine_percent, config.volume.emergency_percent),
        audible_test: AudibleTest {
            weekday: Some(config.self_test.audible_weekday).filter(|day| *day > 0),
            hour: config.self_test.audible_hour,
        },
    })
}

/// Every stretch forbids the start of routine, tests and drills of any colour.
fn quiet_table(config: &Config) -> anyhow::Result<QuietTable> {
    let mut table = QuietTable::new(Hours::NONE);
    for (first, end) in config.quiet.stretches()? {
        let hours = Hours::between(first, end);
        for kind in [BroadcastKind::Routine, BroadcastKind::Test, BroadcastKind::Exercise] {
            for color in AlertColor::ALL.map(Some).into_iter().chain([None]) {
                table.forbid(kind, color, hours)?;
            }
        }
    }
    Ok(table)
}

fn random_seed() -> anyhow::Result<u64> {
    Ok(u64::from_le_bytes(clock::random_bytes()?))
}
