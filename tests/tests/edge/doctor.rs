//! `doctor` on a healthy node and on planted faults: each is named alone, with how to mend it, in
//! Chinese and English, and ends with exit code 1.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use tests::harness::city::{CITY, program};
use tests::harness::process::{find, run};
use tests::harness::{ports, sound};

use crate::rig::{Ended, Rig, ended};

impl Rig {
    fn doctor(&self, plant: impl FnOnce(&mut Command)) -> anyhow::Result<Ended> {
        let mut doctor = self.command("doctor")?;
        sound::capture_unpaced(&mut doctor, &self.folder.join("doctor.wav"))?;
        plant(&mut doctor);
        ended(&mut doctor)
    }
}

impl Ended {
    /// One line is broken, and it has these words: the part, and the cure in both languages.
    fn names(&self, part: &str, words: &[&str]) -> anyhow::Result<()> {
        let broken: Vec<_> = self.out.lines().filter(|line| line.starts_with('✗')).collect();
        ensure!(self.code == Some(1) && broken.len() == 1, "{part} alone is broken: {self:?}");
        let (zh, en) = broken[0].split_once(" | ").context("two languages")?;
        ensure!(zh.contains(part) && !en.is_empty(), "{broken:?}");
        for word in words {
            ensure!(broken[0].contains(word), "{word:?} in {broken:?}");
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_planted_fault_is_named_alone_with_its_cure() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut rig = Rig::build(folder.path()).await?;
    rig.run_until("message on tongluo/1/terminal/").await?;
    let healthy = rig.doctor(|_| ())?;
    ensure!(healthy.code == Some(0) && !healthy.out.contains(['✗', '!']), "{healthy:?}");

    in_the_device(&rig)?;
    in_its_files(&rig)?;
    on_the_way(&rig)?;
    // Last: the dispatcher is started anew for it.
    a_certificate_that_ends_soon(&mut rig).await
}

fn in_the_device(rig: &Rig) -> anyhow::Result<()> {
    let mut without_card = rig.command("doctor")?;
    sound::without_card(&mut without_card, &rig.folder)?;
    ended(&mut without_card)?.names("声卡", &["aplay -l", "audio.card"])?;
    let voice = ("TONGLUO_EDGE__VOICE__PROGRAM", "no-such-voice");
    rig.doctor(|doctor| {
        doctor.env(voice.0, voice.1);
    })?
    .names("本地语音", &["no-such-voice", "apt-get install espeak-ng", "请安装"])
}

fn in_its_files(rig: &Rig) -> anyhow::Result<()> {
    let journal = std::fs::read(rig.journal())?;
    let mut rotten = journal.clone();
    rotten[20] ^= 0x10;
    std::fs::write(rig.journal(), rotten)?;
    rig.doctor(|_| ())?.names("日志", &["损坏", "replace the card"])?;
    std::fs::write(rig.journal(), "Dear village,")?;
    rig.doctor(|_| ())?.names("日志", &["请移开它", "mv "])?;
    std::fs::write(rig.journal(), journal)?;
    unwritable(rig)?;
    let identity = rig.state().join("identity.json");
    let own = std::fs::read_to_string(&identity)?;
    std::fs::write(&identity, own.replace(&rig.village.id, "110101001001-0001"))?;
    rig.doctor(|_| ())?.names("区划", &["重新入网", "enrol --force"])?;
    std::fs::remove_file(&identity)?;
    rig.doctor(|_| ())?.names("入网", &["入网码", "edge-node enrol --code"])?;
    std::fs::write(&identity, own)?;
    Ok(())
}

/// Seen by a user who may read everything and write nothing.
fn unwritable(rig: &Rig) -> anyhow::Result<()> {
    let allow = |path: &Path, mode: &str| run(Command::new("chmod").arg(mode).arg(path)).map(drop);
    let (state, journal) = (rig.state(), rig.journal());
    let is_root = run(Command::new("id").arg("-u"))?.trim() == "0";
    let mut doctor = if is_root {
        for folder in state.ancestors().take_while(|folder| folder.starts_with(&rig.folder)) {
            allow(folder, "a+rx")?;
        }
        allow(&state.join("identity.json"), "a+r")?;
        // The program may lie where only root may look.
        let copy = rig.folder.join("edge-node");
        std::fs::copy(program("edge-node")?, &copy)?;
        let mut doctor = Command::new(find("setpriv")?);
        doctor.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(copy);
        doctor
    } else {
        Command::new(program("edge-node")?)
    };
    allow(&journal, "444")?;
    doctor.arg("doctor").arg("--config").arg(rig.village.config_file());
    let wav = Path::new("/dev/null");
    let config = rig.folder.join("unwritable.wav");
    sound::capture_unpaced(&mut doctor, &config)?;
    let alsa = config.with_extension("alsa.conf");
    let text = std::fs::read_to_string(&alsa)?;
    let text = text.replace(&config.display().to_string(), &wav.display().to_string());
    std::fs::write(alsa, text)?;
    let found = ended(&mut doctor)?;
    allow(&journal, "644")?;
    found.names("日志", &["写不进", "can't be written", "mount"])
}

fn on_the_way(rig: &Rig) -> anyhow::Result<()> {
    let nobody = format!("http://127.0.0.1:{}", ports::free()?);
    let elsewhere = format!("{}/nowhere", rig.city.url);
    for url in [nobody, elsewhere] {
        rig.doctor(|doctor| {
            doctor.env("TONGLUO_EDGE__NETWORK__MEDIA_URL", &url);
        })?
        .names("素材", &["network.media_url", "请查", "check"])?;
    }
    let broker = format!("mqtt://127.0.0.1:{}", ports::free()?);
    rig.doctor(|doctor| {
        doctor.env("TONGLUO_EDGE__NETWORK__MQTT_URL", &broker);
    })?
    .names("消息服务器", &["连不上", "check cable"])?;
    let fast = behind_another_clock(&rig.city.url)?;
    rig.doctor(|doctor| {
        doctor.env("TONGLUO_EDGE__NETWORK__MEDIA_URL", &fast);
    })?
    .names("时钟", &["请校时", "timedatectl set-ntp true"])
}

/// The same dispatcher, an hour in the past: a relay in front of it that turns back the clock in
/// its answer.
fn behind_another_clock(url: &str) -> anyhow::Result<String> {
    let upstream: SocketAddr = url.trim_start_matches("http://").parse()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let here = listener.local_addr()?;
    std::thread::spawn(move || -> std::io::Result<()> {
        let (mut client, _) = listener.accept()?;
        let mut server = TcpStream::connect(upstream)?;
        let mut request = [0; 4_096];
        let n = client.read(&mut request)?;
        let asked = String::from_utf8_lossy(&request[..n])
            .replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n");
        server.write_all(asked.as_bytes())?;
        let mut answer = Vec::new();
        server.read_to_end(&mut answer)?;
        let date = answer.windows(6).position(|w| w.eq_ignore_ascii_case(b"date: "));
        if let Some(at) = date {
            let earlier = b"Sat, 01 Aug 2026 02:00:00 GMT";
            answer[at + 6..at + 6 + earlier.len()].copy_from_slice(earlier);
        }
        client.write_all(&answer)
    });
    Ok(format!("http://{here}"))
}

async fn a_certificate_that_ends_soon(rig: &mut Rig) -> anyhow::Result<()> {
    let fresh = rig.folder.join("ends-soon");
    let root = rig.folder.join("roots").join("root-active.key");
    let mut delegate = Command::new(program("dispatcher")?);
    delegate.args(["key", "delegate", "--region", CITY, "--name", "厦门市", "--days", "9"]);
    run(delegate.arg("--root").arg(root).arg("--out").arg(&fresh))?;
    for file in ["dispatcher.key", "dispatcher.cert"] {
        std::fs::copy(fresh.join(file), rig.folder.join("dispatcher").join(file))?;
    }
    rig.city.kill()?;
    rig.city.start().await?;
    rig.doctor(|_| ())?.names("证书", &["只剩", "ends in", "dispatcher key delegate"])
}
