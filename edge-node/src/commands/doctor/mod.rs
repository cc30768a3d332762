//! `edge-node doctor`: what is broken here, a line each in Chinese and English, and how to mend
//! it. Exit code 1 when something is broken. Touches nothing but the sound card, which it opens
//! once; a card that the running edge-node holds is busy and says so.

use std::net::{TcpStream, ToSocketAddrs as _};
use std::process::ExitCode;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edge_node::shell::audio::card::Card;
use edge_node::shell::config::Config;
use edge_node::shell::identity::Identity;
use edge_node::shell::voice::{self, Request};
use edge_node::shell::{clock, journal, machine, mqtt};
use protocols::hazard::Announcement;
use protocols::speech::{Language, SpeechRequest};
use protocols::trust;

use super::run::{JOURNAL_FILE, or_enrolled};
use super::{ConfigArgs, say_line};

/// Free bytes below which the clip cache can't fill up: 64 MiB.
const DISK_FREE_MIN: u64 = 64 * 1024 * 1024;

/// Days before its end at which a certificate is worth a word.
const CERTIFICATE_DAYS_SOON: i64 = 30;

/// Longest wait for the broker's port.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    config: ConfigArgs,
}

enum Health {
    Good,
    Weak,
    Broken,
}

struct Finding {
    health: Health,
    zh: String,
    en: String,
}

fn good(zh: impl Into<String>, en: impl Into<String>) -> Finding {
    Finding { health: Health::Good, zh: zh.into(), en: en.into() }
}

fn weak(zh: impl Into<String>, en: impl Into<String>) -> Finding {
    Finding { health: Health::Weak, zh: zh.into(), en: en.into() }
}

fn broken(zh: impl Into<String>, en: impl Into<String>) -> Finding {
    Finding { health: Health::Broken, zh: zh.into(), en: en.into() }
}

impl Doctor {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.config.load()?;
        super::log::begin("error")?;
        let identity = Identity::load(&config.state.dir);
        let mut findings = vec![enrolment(&identity)];
        if let Ok(identity) = &identity {
            findings.push(certificate(identity));
            findings.push(broker(&config, identity));
        }
        findings.push(sound_card(&config));
        findings.push(local_voice(&config)?);
        findings.push(journal_file(&config));
        findings.push(disk(&config));
        findings.push(system_clock(&config));
        let mut is_broken = false;
        for Finding { health, zh, en } in findings {
            let mark = match health {
                Health::Good => "✓",
                Health::Weak => "!",
                Health::Broken => "✗",
            };
            is_broken |= matches!(health, Health::Broken);
            say_line(&format!("{mark} {zh} | {en}"))?;
        }
        Ok(if is_broken { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

fn enrolment(identity: &Result<Identity, edge_node::shell::identity::IdentityError>) -> Finding {
    match identity {
        Ok(identity) => good(
            format!("入网：终端 {}", identity.terminal),
            format!("enrolment: terminal {}", identity.terminal),
        ),
        Err(error) => broken(
            format!("入网：{error}；请用平台给的入网码运行 edge-node enrol --code …"),
            format!("enrolment: {error}; run edge-node enrol --code … with the dispatcher's code"),
        ),
    }
}

fn certificate(identity: &Identity) -> Finding {
    let opened = identity.roots().map_err(str::to_owned).and_then(|roots| {
        let bytes = URL_SAFE_NO_PAD.decode(&identity.certificate).map_err(|e| e.to_string())?;
        trust::open_certificate(&bytes, &roots).map_err(|error| error.to_string())
    });
    let certificate = match opened {
        Ok(certificate) => certificate,
        Err(error) => {
            return broken(
                format!("证书：{error}；请重新入网"),
                format!("certificate: {error}; enrol again"),
            );
        }
    };
    let left = certificate.not_after.duration_since(clock::now()).as_hours() / 24;
    if left < 0 {
        return broken(
            format!("证书：{} 的证书已过期；请平台续发", certificate.name),
            format!("certificate: of {} has expired; the dispatcher renews it", certificate.name),
        );
    }
    let zh = format!("证书：{}，还有 {left} 天", certificate.name);
    let en = format!("certificate: {}, {left} days left", certificate.name);
    if left < CERTIFICATE_DAYS_SOON { weak(zh, en) } else { good(zh, en) }
}

fn broker(config: &Config, identity: &Identity) -> Finding {
    let url = or_enrolled(&config.network.mqtt_url, &identity.mqtt_url);
    let reached =
        mqtt::parse_url(url).map_err(|error| error.to_string()).and_then(|(host, port, _)| {
            let host = host.trim_matches(['[', ']']).to_owned();
            let mut addresses = (host, port).to_socket_addrs().map_err(|e| e.to_string())?;
            let address = addresses.next().ok_or("the name has no address")?;
            TcpStream::connect_timeout(&address, CONNECT_TIMEOUT).map_err(|e| e.to_string())
        });
    match reached {
        Ok(_) => good(format!("消息服务器：{url} 可达"), format!("broker: {url} answers")),
        Err(error) => broken(
            format!("消息服务器：{url} 连不上（{error}）；请查网线、路由与平台"),
            format!("broker: {url} can't be reached ({error}); check cable, route, dispatcher"),
        ),
    }
}

fn sound_card(config: &Config) -> Finding {
    match Card::open(&config.audio.card) {
        Ok(card) => good(format!("声卡：{}", card.format), format!("sound card: {}", card.format)),
        Err(error) => broken(
            format!("声卡：{error}；请查接线，用 aplay -l 看声卡，在 audio.card 写它的名字"),
            format!("sound card: {error}; check the cable, see aplay -l, name it in audio.card"),
        ),
    }
}

fn local_voice(config: &Config) -> anyhow::Result<Finding> {
    let program = &config.voice.program;
    let text = Announcement::SelfTest.text(Language::Chinese);
    let Some(request) = SpeechRequest::for_text(Language::Chinese.tag(), text) else {
        anyhow::bail!("the self-test can't be said");
    };
    let request = Request { args: request.args(), input: request.input };
    Ok(match super::runtime()?.block_on(voice::speak(program, request)) {
        Ok(_) => good(format!("本地语音：{program}"), format!("local voice: {program}")),
        Err(error) => broken(
            format!("本地语音：{error}；请安装 espeak-ng"),
            format!("local voice: {error}; install espeak-ng"),
        ),
    })
}

fn journal_file(config: &Config) -> Finding {
    let path = config.state.dir.join(JOURNAL_FILE);
    let name = path.display();
    match std::fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            good("日志：尚无", "journal: none yet")
        }
        Err(error) => broken(
            format!("日志：{name} 读不出（{error}）；请查存储卡与权限"),
            format!("journal: {name} can't be read ({error}); check the card and its permissions"),
        ),
        Ok(bytes) => match journal::read(&bytes) {
            Some(contents) => good(
                format!("日志：{} 条", contents.records.len()),
                format!("journal: {} records", contents.records.len()),
            ),
            None => broken(
                format!("日志：{name} 不是本版本的日志；请移开它"),
                format!("journal: {name} is not a journal of this version; move it away"),
            ),
        },
    }
}

fn disk(config: &Config) -> Finding {
    let folder = &config.state.dir;
    match machine::disk_free_bytes(folder) {
        None => broken(
            format!("存储：{} 不存在", folder.display()),
            format!("disk: {} does not exist", folder.display()),
        ),
        Some(free) if free < DISK_FREE_MIN => broken(
            format!("存储：只剩 {} MiB；请清理", free >> 20),
            format!("disk: only {} MiB left; make room", free >> 20),
        ),
        Some(free) => {
            good(format!("存储：余 {} MiB", free >> 20), format!("disk: {} MiB free", free >> 20))
        }
    }
}

fn system_clock(config: &Config) -> Finding {
    let now = clock::now().strftime("%F %T %Z");
    if machine::is_clock_trusted(config.clock.trust) {
        return good(format!("时钟：{now}，已同步"), format!("clock: {now}, synchronised"));
    }
    weak(
        format!("时钟：{now}，未声明同步；开机后先向平台问时间（可启用 systemd-timesyncd）"),
        format!("clock: {now}, not said to be synchronised; the dispatcher is asked first"),
    )
}
