//! Identity, certificate, broker, dispatcher and time.

use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edge_node::shell::config::Config;
use edge_node::shell::identity::{Identity, IdentityError};
use edge_node::shell::{clock, machine, mqtt};
use jiff::{SignedDuration, Timestamp};
use protocols::certificate::Certificate;
use protocols::hazard::PhraseSet;
use protocols::limits::PHRASE_SET_BYTES_MAX;
use protocols::trust;
use protocols::wire::MessageType;

use super::super::run::{http, or_enrolled};
use super::{Finding, broken, good, weak};

/// Days before its end at which a certificate is a fault: it is renewed at half its life, so
/// somebody has failed to.
const CERTIFICATE_DAYS_SOON: i64 = 30;

/// Longest wait for the broker's port.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Difference to the dispatcher's clock from which on ours is called wrong. HTTP tells whole
/// seconds, and the answer may have been under way for a few.
const CLOCK_OFF_MAX: SignedDuration = SignedDuration::from_secs(15);

/// What the dispatcher answered.
pub(super) struct Dispatcher {
    pub(super) finding: Finding,
    /// Under which it speaks now.
    pub(super) certificate: Option<Certificate>,
    /// Its clock and ours, at its answer.
    pub(super) answered_at: Option<(Timestamp, Timestamp)>,
}

pub(super) fn enrolment(identity: &Result<Identity, IdentityError>) -> Finding {
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

/// The certificate under which the dispatcher speaks now, or, when it does not answer, the one of
/// the enrolment; and whether it reaches this terminal.
pub(super) fn certificate(identity: &Identity, current: Option<&Certificate>) -> Vec<Finding> {
    let enrolled = || {
        let roots = identity.roots().map_err(str::to_owned)?;
        let bytes = URL_SAFE_NO_PAD.decode(&identity.certificate).map_err(|e| e.to_string())?;
        trust::open_certificate(&bytes, &roots).map_err(|error| error.to_string())
    };
    let certificate = match current.map_or_else(enrolled, |current| Ok(current.clone())) {
        Ok(certificate) => certificate,
        Err(error) => {
            return vec![broken(
                format!("证书：{error}；请用新的入网码重新入网：edge-node enrol --force --code …"),
                format!("certificate: {error}; enrol anew: edge-node enrol --force --code …"),
            )];
        }
    };
    vec![validity(&certificate), scope(identity, &certificate)]
}

fn validity(certificate: &Certificate) -> Finding {
    let name = &certificate.name;
    let days = certificate.not_after.duration_since(clock::now()).as_hours() / 24;
    if certificate.not_after <= clock::now() {
        return broken(
            format!("证书：{name} 的证书已过期；请平台续发：dispatcher key delegate"),
            format!("certificate: of {name} has expired; renew it: dispatcher key delegate"),
        );
    }
    if days < CERTIFICATE_DAYS_SOON {
        return broken(
            format!("证书：{name} 的证书只剩 {days} 天；请平台续发：dispatcher key delegate"),
            format!(
                "certificate: of {name} ends in {days} days; renew it: dispatcher key delegate"
            ),
        );
    }
    good(format!("证书：{name}，还有 {days} 天"), format!("certificate: {name}, {days} days left"))
}

fn scope(identity: &Identity, certificate: &Certificate) -> Finding {
    let (terminal, region) = (identity.terminal, certificate.region);
    if region.contains(terminal.village()) {
        return good(
            format!("区划：{} 属于平台的 {region}", terminal.village()),
            format!("region: {} lies in the dispatcher's {region}", terminal.village()),
        );
    }
    broken(
        format!(
            "区划：终端 {terminal} 不在平台的区划 {region} 内，什么都不会播；请用本村的入网码重新入网：\
             edge-node enrol --force --code …"
        ),
        format!(
            "region: terminal {terminal} lies outside the dispatcher's region {region}, so nothing \
             will sound; enrol anew with this village's code: edge-node enrol --force --code …"
        ),
    )
}

pub(super) fn broker(config: &Config, identity: &Identity) -> Finding {
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

/// Asks for the phrases, as `run` does: they show whether clips can be had, who speaks there and
/// what time it is.
pub(super) fn dispatcher(config: &Config, identity: &Identity) -> anyhow::Result<Dispatcher> {
    let base = or_enrolled(&config.network.media_url, &identity.media_url).trim_end_matches('/');
    let roots = identity.roots().map_err(anyhow::Error::msg)?;
    let url = format!("{base}/api/v1/phrases");
    let answer = http(config, &url)?.look(&url, PHRASE_SET_BYTES_MAX);
    let answered_at = match &answer {
        Ok(answer) => answer.date.map(|theirs| (theirs, clock::now())),
        Err(_) => None,
    };
    let opened = answer.map_err(|error| error.to_string()).and_then(|answer| {
        if answer.status != 200 {
            return Err(format!("{}", answer.status));
        }
        let kind = MessageType::PhraseSet;
        trust::open::<PhraseSet>(&answer.body, PHRASE_SET_BYTES_MAX, kind, &roots, &[], None)
            .map_err(|error| error.to_string())
    });
    let (finding, certificate) = match opened {
        Ok(phrases) => (
            good(
                format!("素材：{base} 可取，短语 {} 条", phrases.message.phrases.len()),
                format!("media: {base} answers, {} phrases", phrases.message.phrases.len()),
            ),
            Some(phrases.certificate),
        ),
        Err(error) => (
            broken(
                format!(
                    "素材：{url} 取不到（{error}）；请查 network.media_url、网络与平台；\
                     在此之前只能用本地语音"
                ),
                format!(
                    "media: {url} gives no phrases ({error}); check network.media_url, the network \
                     and the dispatcher; until then only the local voice speaks"
                ),
            ),
            None,
        ),
    };
    Ok(Dispatcher { finding, certificate, answered_at })
}

pub(super) fn system_clock(config: &Config, answer: Option<(Timestamp, Timestamp)>) -> Finding {
    let now = clock::now().strftime("%F %T %Z");
    if let Some((theirs, ours)) = answer {
        let ahead = ours.duration_since(theirs);
        if ahead.abs() > CLOCK_OFF_MAX {
            let (zh, en) =
                if ahead.is_negative() { ("慢", "behind") } else { ("快", "ahead of") };
            let seconds = ahead.abs().as_secs();
            return broken(
                format!("时钟：{now}，比平台{zh} {seconds} 秒；请校时：timedatectl set-ntp true"),
                format!(
                    "clock: {now}, {seconds} s {en} the dispatcher's; set it: \
                     timedatectl set-ntp true"
                ),
            );
        }
    }
    if machine::is_clock_trusted(config.clock.trust) {
        return good(format!("时钟：{now}，已同步"), format!("clock: {now}, synchronised"));
    }
    weak(
        format!("时钟：{now}，未声明同步；开机后先向平台问时间（可启用 systemd-timesyncd）"),
        format!("clock: {now}, not said to be synchronised; the dispatcher is asked first"),
    )
}
