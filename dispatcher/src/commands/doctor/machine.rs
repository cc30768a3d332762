//! The machine: clock, disk, voice.

use jiff::Timestamp;

use super::Check;
use crate::config::Config;
use crate::context::Signer;

/// A clock before this was never set: the first version was written later.
const BUILT_AFTER: &str = "2026-01-01T00:00:00Z";

/// Free bytes below which the disk is called full.
const DISK_FREE_MIN: u64 = 512 * 1024 * 1024;

/// Held against three things that can't lie ahead: the first version, the beginning of the
/// certificate, the newest entry of the record.
pub(super) fn clock(now: Timestamp, signer: Option<&Signer>, newest: Option<Timestamp>) -> Check {
    let built: Timestamp = BUILT_AFTER.parse().expect("a constant instant");
    let begun = signer.map(|signer| signer.certificate().not_before);
    let behind = [
        (Some(built), "程序编写时间", "the first version was written"),
        (begun, "证书生效时间", "the certificate begins"),
        (newest, "最新审计记录", "the newest entry of the record was made"),
    ];
    for (at, zh, en) in behind {
        let Some(at) = at.filter(|at| *at > now) else { continue };
        return Check::broken(
            "clock",
            format!("系统时间为 {now}，早于{zh} {at}；请校时（如 timedatectl set-ntp true）"),
            format!("it says {now}, and {en} at {at}: set it, as by `timedatectl set-ntp true`"),
        );
    }
    Check::good("clock", "系统时间可信", format!("plausible: {now}"))
}

/// What `df` says of the working folder: std knows no free space, and unsafe code is forbidden.
pub(super) async fn disk() -> Check {
    let output = tokio::process::Command::new("df").args(["-Pk", "."]).output().await;
    let text = output.ok().map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let kib = text
        .as_deref()
        .and_then(|text| text.lines().nth(1))
        .and_then(|line| line.split_whitespace().nth(3))
        .and_then(|field| field.parse::<u64>().ok());
    let Some(free) = kib.map(|kib| kib * 1024) else {
        return Check::soon(
            "disk",
            "无法得知剩余空间；请确认 df 可用",
            "free space is not known: `df` must run",
        );
    };
    let zh = format!("剩余 {} MiB（至少 512）", free >> 20);
    let en = format!("{} MiB free (512 at least)", free >> 20);
    if free < DISK_FREE_MIN {
        return Check::broken("disk", format!("{zh}；请清理"), format!("{en}: make room"));
    }
    Check::good("disk", zh, en)
}

pub(super) async fn voice(config: &Config) -> Check {
    let program = &config.speech.espeak;
    let output = tokio::process::Command::new(program).arg("--version").output().await;
    match output {
        Ok(output) if output.status.success() => {
            let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            Check::good("voice", "语音合成可用", text)
        }
        Ok(_) | Err(_) => Check::broken(
            "voice",
            format!("找不到 {program}；运行 apt-get install espeak-ng"),
            format!("{program} does not run: `apt-get install espeak-ng`"),
        ),
    }
}
