//! `dispatcher doctor`: is everything there that serving needs? One line a check, in Chinese and
//! English, with how to mend it. Changes nothing.

use std::process::ExitCode;

use jiff::{SignedDuration, Timestamp};

use super::print;
use crate::config::Config;
use crate::context::Signer;
use crate::ports::Ports;
use crate::store::{self, Db, migrations};

/// A clock before this was never set: the first version was written later.
const BUILT_AFTER: &str = "2026-01-01T00:00:00Z";

/// Days before the end of the certificate from which on it is said.
const EXPIRY_WARNING_DAYS: i64 = 30;

/// Free bytes below which the disk is called full.
const DISK_FREE_MIN: u64 = 512 * 1024 * 1024;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Good,
    Warn,
    Broken,
}

struct Check {
    verdict: Verdict,
    name: &'static str,
    zh: String,
    en: String,
}

fn check(
    verdict: Verdict,
    name: &'static str,
    zh: impl Into<String>,
    en: impl Into<String>,
) -> Check {
    Check { verdict, name, zh: zh.into(), en: en.into() }
}

/// Runs all checks; exit code 1 when one is broken.
pub async fn run(config: Result<Config, crate::config::ConfigError>) -> anyhow::Result<ExitCode> {
    let ports = Ports::system();
    let mut checks = Vec::new();
    match config {
        Err(error) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            let text = format!("{error} {}", cause.unwrap_or_default());
            checks.push(check(
                Verdict::Broken,
                "configuration",
                format!("配置不可用: {text}；参照 config.default.toml 修改"),
                format!("refused: {text}; see config.default.toml"),
            ));
        }
        Ok(config) => {
            checks.push(check(Verdict::Good, "configuration", "配置正常", "readable"));
            checks.push(clock(ports.now()));
            checks.push(trust(&config, ports.now()));
            checks.extend(database(&config).await);
            checks.push(port(&config).await);
            checks.push(disk().await);
            checks.push(voice(&config).await);
        }
    }
    for check in &checks {
        let mark = match check.verdict {
            Verdict::Good => "ok    ",
            Verdict::Warn => "warn  ",
            Verdict::Broken => "broken",
        };
        print(&format!("{mark} {:<13} {} / {}", check.name, check.zh, check.en))?;
    }
    let is_broken = checks.iter().any(|check| check.verdict == Verdict::Broken);
    Ok(if is_broken { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn clock(now: Timestamp) -> Check {
    let built: Timestamp = BUILT_AFTER.parse().expect("a constant instant");
    if now > built {
        return check(Verdict::Good, "clock", "系统时间可信", format!("plausible: {now}"));
    }
    check(
        Verdict::Broken,
        "clock",
        format!("系统时间为 {now}，请校时（如 timedatectl set-ntp true）"),
        format!("it says {now}: set it, as by `timedatectl set-ntp true`"),
    )
}

fn trust(config: &Config, now: Timestamp) -> Check {
    let signer = match Signer::load(&config.trust) {
        Ok(signer) => signer,
        Err(error) => {
            return check(
                Verdict::Broken,
                "certificate",
                format!("密钥或证书不可用: {error:#}；用 dispatcher key root 与 key delegate 生成"),
                format!("{error:#}; `dispatcher key root`, then `dispatcher key delegate`"),
            );
        }
    };
    let left = signer.expires().duration_since(now);
    let days = left.as_hours() / 24;
    let (region, verdict) = (
        signer.region(),
        if left <= SignedDuration::ZERO {
            Verdict::Broken
        } else if days < EXPIRY_WARNING_DAYS {
            Verdict::Warn
        } else {
            Verdict::Good
        },
    );
    check(
        verdict,
        "certificate",
        format!("区划 {region} 的证书剩余 {days} 天（续期: dispatcher key delegate）"),
        format!("for {region}, {days} days left (renew: `dispatcher key delegate`)"),
    )
}

async fn database(config: &Config) -> Vec<Check> {
    let url = &config.database.url;
    let db = match Db::connect(url, config.database.connections).await {
        Ok(db) => db,
        Err(error) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            let text = format!("{error} {}", cause.unwrap_or_default());
            return vec![check(
                Verdict::Broken,
                "database",
                format!("数据库无法连接: {text}；检查 database.url"),
                format!("not reachable: {text}; see database.url"),
            )];
        }
    };
    let mut checks = Vec::new();
    match migrations::pending(&db).await {
        Ok(0) => checks.push(check(
            Verdict::Good,
            "database",
            "数据库正常",
            "reachable, tables up to date",
        )),
        Ok(count) => checks.push(check(
            Verdict::Warn,
            "database",
            format!("{count} 个数据表升级将在 serve 启动时执行"),
            format!("{count} migrations are applied when `serve` starts"),
        )),
        Err(error) => checks.push(check(
            Verdict::Broken,
            "database",
            format!("数据库不可用: {error}"),
            error.to_string(),
        )),
    }
    checks.push(regions(&db).await);
    db.close().await;
    checks
}

async fn regions(db: &Db) -> Check {
    let count = match db.read().await {
        Ok(mut connection) => store::count_regions(&mut connection).await.unwrap_or(0),
        Err(_) => 0,
    };
    if count > 0 {
        return check(
            Verdict::Good,
            "regions",
            format!("已导入 {count} 个区划"),
            format!("{count} imported"),
        );
    }
    check(
        Verdict::Broken,
        "regions",
        "尚未导入区划；运行 dispatcher import regions",
        "none imported: `dispatcher import regions`",
    )
}

async fn port(config: &Config) -> Check {
    let address = config.server.listen;
    match tokio::net::TcpListener::bind(address).await {
        Ok(_) => {
            check(Verdict::Good, "port", format!("{address} 空闲"), format!("{address} is free"))
        }
        Err(error) => check(
            Verdict::Warn,
            "port",
            format!("{address} 被占用（若 dispatcher 正在运行则属正常）: {error}"),
            format!("{address}: {error} (as it should be while the dispatcher serves)"),
        ),
    }
}

/// What `df` says of the working folder: std knows no free space, and unsafe code is forbidden.
async fn disk() -> Check {
    let output = tokio::process::Command::new("df").args(["-Pk", "."]).output().await;
    let text = output.ok().map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let kib = text
        .as_deref()
        .and_then(|text| text.lines().nth(1))
        .and_then(|line| line.split_whitespace().nth(3))
        .and_then(|field| field.parse::<u64>().ok());
    match kib.map(|kib| kib * 1024) {
        None => check(Verdict::Warn, "disk", "无法得知剩余空间", "free space is not known"),
        Some(free) => check(
            if free < DISK_FREE_MIN { Verdict::Broken } else { Verdict::Good },
            "disk",
            format!("剩余 {} MiB（至少 512）", free >> 20),
            format!("{} MiB free (512 at least)", free >> 20),
        ),
    }
}

async fn voice(config: &Config) -> Check {
    let program = &config.speech.espeak;
    let output = tokio::process::Command::new(program).arg("--version").output().await;
    match output {
        Ok(output) if output.status.success() => {
            let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            check(Verdict::Good, "voice", "语音合成可用", text)
        }
        Ok(_) | Err(_) => check(
            Verdict::Broken,
            "voice",
            format!("找不到 {program}；运行 apt-get install espeak-ng"),
            format!("{program} does not run: `apt-get install espeak-ng`"),
        ),
    }
}
