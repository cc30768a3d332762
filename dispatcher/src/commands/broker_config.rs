//! `dispatcher broker-config mosquitto|nats`: users and access rules of an external broker, from the
//! terminals that are enrolled. Deny by default: who is not named here does not come in, and what is
//! not named here is neither heard nor said.
//!
//! The same terminals give the same files, byte for byte; a run that changes nothing touches nothing.

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use protocols::digest::Digest;
use protocols::region::RegionCode;
use protocols::terminal::TerminalId;
use protocols::wire::{self, Topic};

use super::print;
use crate::config::Config;
use crate::config::mqtt::MqttConfig;
use crate::context::Signer;
use crate::mqtt::{broker_names, verifier};
use crate::store::{Db, terminals};

/// Which broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// Eclipse mosquitto 2.
    Mosquitto,
    /// nats-server 2 with JetStream and its MQTT listener.
    Nats,
}

/// For which broker, and where.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The broker.
    kind: Kind,
    /// The folder, made when absent. Its files are this command's own and are written over.
    #[arg(long)]
    out: PathBuf,
}

/// Somebody whom the broker lets in.
#[derive(Debug, Clone, PartialEq, Eq)]
struct User {
    name: String,
    verifier: String,
    publishes: Vec<String>,
    subscribes: Vec<String>,
}

/// Writes them.
pub async fn run(config: Config, arguments: Arguments) -> anyhow::Result<ExitCode> {
    if config.mqtt.password.is_empty() {
        eprintln!(
            "dispatcher: mqtt.password: 请先设置本平台在外部代理的口令 / set the password of the \
             dispatcher at the external broker first"
        );
        return Ok(ExitCode::FAILURE);
    }
    let region = Signer::load(&config.trust)?.region();
    let db = Db::open(&config.database.url, config.database.connections).await?;
    let mut connection = db.read().await?;
    let members = terminals::broker_members(&mut connection).await?;
    drop(connection);
    db.close().await;
    let mut users = dispatchers(&config.mqtt, region, arguments.kind);
    let (mut enrolled, mut without) = (0_usize, Vec::new());
    for member in members {
        let verifier = match arguments.kind {
            Kind::Mosquitto => member.mosquitto,
            Kind::Nats => member.nats,
        };
        match verifier {
            Some(verifier) => {
                enrolled += 1;
                users.push(terminal(member.id, verifier));
            }
            None => without.push(member.id),
        }
    }
    let files = match arguments.kind {
        Kind::Mosquitto => mosquitto(&users, &arguments.out)?,
        Kind::Nats => vec![("tongluo-nats.conf", nats(&users))],
    };
    let changed = write_all(&arguments.out, &files)?;
    print(&format!("{enrolled} terminals, {changed} files changed"))?;
    for id in without {
        eprintln!(
            "dispatcher: {id}: 注册早于本版本，须重新注册后才能使用外部代理 / enrolled before \
             verifiers were kept: enrol it again before it may use this broker"
        );
    }
    if changed > 0 {
        eprintln!("dispatcher: {}", reload(arguments.kind));
    }
    Ok(ExitCode::SUCCESS)
}

const fn reload(kind: Kind) -> &'static str {
    match kind {
        Kind::Mosquitto => {
            "让代理重新读取: kill -HUP <mosquitto 进程号> / let the broker read them: kill -HUP \
             <pid of mosquitto>, or systemctl reload mosquitto"
        }
        Kind::Nats => {
            "让代理重新读取: kill -HUP <nats-server 进程号> / let the broker read it: kill -HUP \
             <pid of nats-server>, or nats-server --signal reload"
        }
    }
}

/// The two connections of the dispatcher itself.
fn dispatchers(config: &MqttConfig, region: RegionCode, kind: Kind) -> Vec<User> {
    let names = broker_names(&config.user, region);
    let region_leaves = ["order", "command", "revocation"];
    let terminal_leaves = ["order", "command", "reply", "ack"];
    let regions = region_leaves.map(|leaf| format!("tongluo/1/region/+/{leaf}"));
    let terminals = terminal_leaves.map(|leaf| format!("tongluo/1/terminal/+/{leaf}"));
    let speaks = regions.into_iter().chain(terminals).collect();
    let user = |name: &str, publishes, subscribes| User {
        name: name.to_owned(),
        verifier: chosen(name, &config.password, kind),
        publishes,
        subscribes,
    };
    vec![
        user(&names.out, speaks, Vec::new()),
        user(&names.listen, Vec::new(), wire::dispatcher_filters()),
    ]
}

/// The salt follows from the name, so that the same password gives the same file; another
/// dispatcher has another name.
fn chosen(name: &str, password: &str, kind: Kind) -> String {
    let salt = Digest::of(format!("tongluo broker-config {name}").as_bytes()).0;
    match kind {
        Kind::Mosquitto => {
            let salt = salt.first_chunk().expect("a digest is longer than a salt");
            verifier::mosquitto(password, salt, verifier::Strength::Chosen)
        }
        Kind::Nats => {
            let salt = salt.first_chunk().expect("a digest is longer than a salt");
            verifier::nats(password, *salt, verifier::Strength::Chosen)
        }
    }
}

fn terminal(id: TerminalId, verifier: String) -> User {
    let says = [
        Topic::TerminalHello(id),
        Topic::TerminalReceipt(id),
        Topic::TerminalVitals(id),
        Topic::TerminalStatus(id),
    ];
    User {
        name: id.to_string(),
        verifier,
        publishes: says.map(|topic| topic.to_string()).to_vec(),
        subscribes: wire::terminal_filters(id),
    }
}

/// Password file, access rules, and the lines that name both.
fn mosquitto(users: &[User], out: &Path) -> anyhow::Result<Vec<(&'static str, String)>> {
    let folder = std::path::absolute(out).context("--out")?;
    let (mut passwords, mut rules) = (String::new(), String::new());
    rules.push_str(
        "# Written by `dispatcher broker-config mosquitto`. Whatever is not named is denied.\n",
    );
    for user in users {
        let _ = writeln!(passwords, "{}:{}", user.name, user.verifier);
        let _ = writeln!(rules, "\nuser {}", user.name);
        for topic in &user.publishes {
            let _ = writeln!(rules, "topic write {topic}");
        }
        for topic in &user.subscribes {
            let _ = writeln!(rules, "topic read {topic}");
        }
    }
    let lines = format!(
        "# Written by `dispatcher broker-config mosquitto`. Include it, and write the next line below\n\
         # each `listener` line: mosquitto does not take it from an included file, and without it\n\
         # whoever holds a valid password can take over the session of another.\n\
         #     use_username_as_clientid true\n\
         allow_anonymous false\n\
         password_file {folder}/passwords\n\
         acl_file {folder}/rules\n",
        folder = folder.display()
    );
    Ok(vec![("passwords", passwords), ("rules", rules), ("tongluo-mosquitto.conf", lines)])
}

/// The `authorization` block. In nats-server a topic is a subject with points for slashes.
fn nats(users: &[User]) -> String {
    let mut text = String::from(
        "# Written by `dispatcher broker-config nats`. Include it at the top level.\n\
         authorization {\n  users = [\n",
    );
    for user in users {
        let subjects = |topics: &[String]| {
            let quoted = topics.iter().map(|topic| format!("\"{}\"", subject(topic)));
            quoted.collect::<Vec<_>>().join(", ")
        };
        // Where nats-server itself delivers what was published with QoS 1. A client that
        // publishes only needs none of it.
        let mut hears = subjects(&user.subscribes);
        if !user.subscribes.is_empty() {
            hears.push_str(", \"$MQTT.sub.>\"");
        }
        let allow = |list: &str| {
            if list.is_empty() { "deny: [\">\"]".to_owned() } else { format!("allow: [{list}]") }
        };
        let _ = writeln!(
            text,
            "    {{ user: \"{}\", password: \"{}\", allowed_connection_types: [\"MQTT\"]\n      \
             permissions: {{\n        publish: {{ {} }}\n        subscribe: {{ {} }}\n      }} }}",
            user.name,
            user.verifier,
            allow(&subjects(&user.publishes)),
            allow(&hears),
        );
    }
    text.push_str("  ]\n}\n");
    text
}

fn subject(topic: &str) -> String {
    topic.replace('/', ".").replace('+', "*")
}

/// Writes what changed; gives how many files.
fn write_all(out: &Path, files: &[(&str, String)]) -> anyhow::Result<usize> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o750)
        .create(out)
        .with_context(|| format!("--out: make {}", out.display()))?;
    let mut changed = 0;
    for (name, text) in files {
        let path = out.join(name);
        if std::fs::read(&path).is_ok_and(|known| known == text.as_bytes()) {
            continue;
        }
        // The mode of a file that is there stays: its group may be the broker's.
        let mode = std::fs::metadata(&path).map_or(0o640, |known| known.permissions().mode());
        let mut file = tempfile::NamedTempFile::new_in(out).context("--out")?;
        file.write_all(text.as_bytes())
            .and_then(|()| file.as_file().set_permissions(std::fs::Permissions::from_mode(mode)))
            .and_then(|()| file.as_file().sync_all())
            .with_context(|| format!("write {}", path.display()))?;
        file.persist(&path).with_context(|| format!("write {}", path.display()))?;
        changed += 1;
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HORN: &str = "350212103201-0007";

    fn users(kind: Kind) -> Vec<User> {
        let config = MqttConfig { password: "a long one".to_owned(), ..MqttConfig::default() };
        let region = "350212000000".parse().expect("a code");
        let mut users = dispatchers(&config, region, kind);
        users.push(terminal(HORN.parse().expect("an id"), "VERIFIER".to_owned()));
        users
    }

    #[test]
    fn a_terminal_may_hear_sixteen_topics_and_say_four_and_nothing_has_a_wildcard() {
        let users = users(Kind::Mosquitto);
        let horn = users.last().expect("three users");
        assert_eq!((horn.publishes.len(), horn.subscribes.len()), (4, 16));
        let all = horn.publishes.iter().chain(&horn.subscribes);
        assert!(all.clone().all(|topic| !topic.contains(['+', '#', '*', '>'])));
        assert!(all.clone().all(|topic| topic.parse::<Topic>().is_ok()));
    }

    #[test]
    fn the_same_terminals_give_the_same_files_and_a_second_run_changes_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("broker");
        let files = mosquitto(&users(Kind::Mosquitto), &out).expect("made");
        assert_eq!(write_all(&out, &files).expect("written"), 3);
        let again = mosquitto(&users(Kind::Mosquitto), &out).expect("made");
        assert_eq!(write_all(&out, &again).expect("nothing to do"), 0);
        let fewer = mosquitto(&users(Kind::Mosquitto)[..2], &out).expect("made");
        assert_eq!(write_all(&out, &fewer).expect("written"), 2, "passwords and rules");
        let kept = std::fs::read_to_string(out.join("passwords")).expect("readable");
        assert!(!kept.contains(HORN), "a retired terminal is gone");
        assert_eq!(nats(&users(Kind::Nats)), nats(&users(Kind::Nats)));
    }

    #[test]
    fn rules_name_users_topics_and_subjects_as_each_broker_writes_them() {
        let files = mosquitto(&users(Kind::Mosquitto), Path::new("/x")).expect("made");
        let rules = &files[1].1;
        assert!(
            rules
                .contains("user dispatcher-350212000000-out\ntopic write tongluo/1/region/+/order")
        );
        assert!(rules.contains("topic read tongluo/1/region/350212103201/revocation\n"));
        assert!(!rules.contains("pattern") && !rules.contains("topic readwrite"));
        assert!(files[2].1.contains("allow_anonymous false\npassword_file /x/passwords\n"));
        let text = nats(&users(Kind::Nats));
        assert!(text.contains("\"tongluo.1.terminal.350212103201-0007.receipt\""));
        assert!(text.contains("\"tongluo.1.terminal.*.hello\""));
        assert!(text.contains("password: \"$2a$11$"));
    }
}
