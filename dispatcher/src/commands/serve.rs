//! `dispatcher serve`: database, broker, reconcilers, HTTP; until SIGTERM or Ctrl-C.

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing_subscriber::EnvFilter;

use super::open_files;
use crate::config::Config;
use crate::config::log::{LogConfig, LogFormat};
use crate::context::{App, Signer};
use crate::ports::Ports;
use crate::store::Db;
use crate::{backup, daily_record, http, jobs, mqtt};

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
pub struct Arguments {}

/// Serves.
pub async fn run(config: Config, _: Arguments) -> anyhow::Result<ExitCode> {
    start_log(&config.log)?;
    open_files::raise(&config);
    let signer = Signer::load(&config.trust)?;
    let ports = Ports::system();
    anyhow::ensure!(
        signer.expires() > ports.now(),
        "the certificate expired at {}: `dispatcher key rotate` makes a new one",
        signer.expires()
    );
    let db = Db::open(&config.database.url, config.database.connections)
        .await
        .context("open the database")?;
    mend_set_back(&db, &config, &signer, ports.now()).await?;
    crate::app::regions::seed(&db, signer.region()).await.context("seed the region list")?;
    let app = App::new(db, ports, config, signer);
    let listener = TcpListener::bind(app.config.server.listen)
        .await
        .with_context(|| format!("listen on server.listen {}", app.config.server.listen))?;
    let stop = CancellationToken::new();
    let signals = tokio::spawn(wait_for_signal(stop.clone()));
    let result = serve(app.clone(), listener, stop).await;
    signals.abort();
    app.db.close().await;
    result?;
    Ok(ExitCode::SUCCESS)
}

/// Begins a later epoch when the daily record proves that an older database was put in place by
/// hand: terminals would refuse its orders.
async fn mend_set_back(
    db: &Db,
    config: &Config,
    signer: &Signer,
    now: jiff::Timestamp,
) -> anyhow::Result<()> {
    let folder = &config.audit.folder;
    let claims =
        if folder.as_os_str().is_empty() { Ok(Vec::new()) } else { daily_record::read(folder) };
    let claims = match claims {
        Ok(claims) => claims,
        Err(error) => {
            tracing::error!(%error, "the daily record is not readable; it proves nothing");
            return Ok(());
        }
    };
    let (roots, region) = (signer.roots(), signer.region());
    let mended = backup::finish::mend_set_back(db, &claims, roots, region, now).await;
    if let Some(epoch) = mended.context("compare with the daily record")? {
        tracing::error!(
            epoch,
            "an older database was put in place without `dispatcher restore`; orders go on in \
             epoch {epoch}, sessions are ended, and `dispatcher audit verify` names what was cut"
        );
    }
    Ok(())
}

/// Serves `app` on `listener` until `stop`; for tests too.
pub async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let tasks = TaskTracker::new();
    // Before anything is signed.
    jobs::trust::take_list(&app).await.context("read the revocation list")?;
    start(&app, &tasks, &stop).await?;
    let address = listener.local_addr()?;
    tracing::info!(http.address = %address, region = %app.region(), "serving on http://{address}");
    let server = http::serve::serve(app.clone(), listener, stop.clone());
    let server = tokio::spawn(server);
    stop.cancelled().await;
    app.stopping.cancel();
    // An event stream never ends by itself; after the grace it is cut.
    let _ = tokio::time::timeout(http::GRACE, server).await;
    tasks.close();
    let _ = tokio::time::timeout(http::GRACE, tasks.wait()).await;
    tracing::info!("ended");
    Ok(())
}

/// Starts the broker, its client and the reconcilers; each ends with `stop` and is tracked.
async fn start(
    app: &Arc<App>,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let mqtt = mqtt::start(app, tasks, stop).await?;
    jobs::start(app, mqtt.pipe, tasks, stop);
    Ok(())
}

async fn wait_for_signal(stop: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate =
        signal(SignalKind::terminate()).expect("a runtime with signals can watch SIGTERM");
    tokio::select! {
        biased;
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    tracing::info!("told to end");
    stop.cancel();
}

fn start_log(config: &LogConfig) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.filter)
        .with_context(|| format!("log.filter {:?}", config.filter))?;
    let is_text = match config.format {
        LogFormat::Text => true,
        LogFormat::Json => false,
        LogFormat::Auto => std::io::stderr().is_terminal(),
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let installed =
        if is_text { builder.try_init() } else { builder.json().flatten_event(true).try_init() };
    installed.map_err(|error| anyhow::anyhow!("start the log: {error}"))
}
