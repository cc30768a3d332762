//! `edge-node doctor`: what is broken here, a line each in Chinese and English, and how to mend
//! it. Exit code 1 when something is broken. Writes nothing and opens the sound card once; a card
//! that the running edge-node holds is busy and says so.
//!
//! | file | looks at |
//! |---|---|
//! | `device` | what stands in the village: sound card, voice, journal, disk |
//! | `link` | what it hears of the world: identity, certificate, broker, dispatcher, time |

mod device;
mod link;

use std::process::ExitCode;

use edge_node::shell::identity::Identity;

use super::{ConfigArgs, say_line};

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
        let mut findings = vec![link::enrolment(&identity)];
        let mut answer = None;
        if let Ok(identity) = &identity {
            let dispatcher = link::dispatcher(&config, identity)?;
            let current = dispatcher.certificate.as_ref();
            findings.extend(link::certificate(identity, current));
            findings.push(link::broker(&config, identity));
            findings.push(dispatcher.finding);
            answer = dispatcher.answered_at;
        }
        findings.push(link::system_clock(&config, answer));
        findings.push(device::sound_card(&config));
        findings.push(device::local_voice(&config)?);
        findings.extend(device::journal_file(&config));
        findings.push(device::disk(&config));
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
