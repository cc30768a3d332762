//! Sound card, local voice, journal, disk.

use std::path::Path;

use edge_node::shell::audio::card::Card;
use edge_node::shell::config::Config;
use edge_node::shell::voice::{self, Request};
use edge_node::shell::{journal, machine};
use protocols::hazard::Announcement;
use protocols::speech::{Language, SpeechRequest};

use super::super::run::JOURNAL_FILE;
use super::{Finding, broken, good, weak};

/// Free bytes below which the clip cache can't fill up: 64 MiB.
const DISK_FREE_MIN: u64 = 64 * 1024 * 1024;

pub(super) fn sound_card(config: &Config) -> Finding {
    match Card::open(&config.audio.card) {
        Ok(card) => good(format!("声卡：{}", card.format), format!("sound card: {}", card.format)),
        Err(error) => broken(
            format!("声卡：{error}；请查接线，用 aplay -l 看声卡，在 audio.card 写它的名字"),
            format!("sound card: {error}; check the cable, see aplay -l, name it in audio.card"),
        ),
    }
}

pub(super) fn local_voice(config: &Config) -> anyhow::Result<Finding> {
    let program = &config.voice.program;
    let text = Announcement::SelfTest.text(Language::Chinese);
    let Some(request) = SpeechRequest::for_text(Language::Chinese.tag(), text) else {
        anyhow::bail!("the self-test can't be said");
    };
    let request = Request { args: request.args(), input: request.input };
    Ok(match super::super::runtime()?.block_on(voice::speak(program, request)) {
        Ok(_) => good(format!("本地语音：{program}"), format!("local voice: {program}")),
        Err(error) => broken(
            format!("本地语音：{error}；请安装 espeak-ng：apt-get install espeak-ng"),
            format!("local voice: {error}; install it: apt-get install espeak-ng"),
        ),
    })
}

pub(super) fn journal_file(config: &Config) -> Vec<Finding> {
    let path = config.state.dir.join(JOURNAL_FILE);
    let name = path.display();
    let content = match std::fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            good("日志：尚无", "journal: none yet")
        }
        Err(error) => broken(
            format!("日志：{name} 读不出（{error}）；请查存储卡与权限"),
            format!("journal: {name} can't be read ({error}); check the card and its permissions"),
        ),
        Ok(bytes) => contents(&path, &bytes),
    };
    let mut findings = vec![content];
    findings.extend(unwritable(&config.state.dir).or_else(|| unwritable(&path)));
    findings
}

fn contents(path: &Path, bytes: &[u8]) -> Finding {
    let name = path.display();
    match journal::read(bytes) {
        Some(contents) if contents.is_broken => broken(
            format!(
                "日志：{name} 中间有 {} 字节损坏，其后的记录读不出；请备份该文件并更换存储卡，\
                 重新入网后平台会补发仍有效的指令",
                contents.torn_bytes
            ),
            format!(
                "journal: {name} is damaged, the last {} bytes can't be read; copy the file away \
                 and replace the card; after enrolling anew the dispatcher sends what is valid",
                contents.torn_bytes
            ),
        ),
        Some(contents) if contents.torn_bytes > 0 => weak(
            format!("日志：末尾 {} 字节没有写完，启动时会截去", contents.torn_bytes),
            format!("journal: {} unfinished bytes at its end go at start", contents.torn_bytes),
        ),
        Some(contents) => good(
            format!("日志：{} 条", contents.records.len()),
            format!("journal: {} records", contents.records.len()),
        ),
        None => broken(
            format!("日志：{name} 不是本版本的日志；请移开它：mv {name} {name}.old"),
            format!("journal: {name} is not a journal of this version; mv {name} {name}.old"),
        ),
    }
}

/// What may not be written although it is there.
fn unwritable(path: &Path) -> Option<Finding> {
    let name = path.display();
    let error = machine::may_write(path).err()?;
    let is_absent = error.kind() == std::io::ErrorKind::NotFound;
    (!is_absent).then(|| {
        broken(
            format!("日志：{name} 写不进（{error}），收不了指令；请查权限与只读挂载：mount、ls -l"),
            format!(
                "journal: {name} can't be written ({error}), so no order is taken; check \
                 permissions and a read-only mount: mount, ls -l"
            ),
        )
    })
}

pub(super) fn disk(config: &Config) -> Finding {
    let folder = &config.state.dir;
    match machine::disk_free_bytes(folder) {
        None => broken(
            format!("存储：{} 不存在；请入网（edge-node enrol）或改 state.dir", folder.display()),
            format!("disk: {} does not exist; enrol, or mend state.dir", folder.display()),
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
