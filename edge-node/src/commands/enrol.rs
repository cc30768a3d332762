//! `edge-node enrol`: from a code on paper to an identity on disk.
//!
//! The roots are pinned by their fingerprints in the code before anything the server says is
//! believed. The key is made here and never leaves; the server gets a proof that we hold it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edge_node::shell::clock;
use edge_node::shell::identity::{self, Identity};
use protocols::digest::Digest;
use protocols::enrolment::{EnrolmentClaim, EnrolmentCode, EnrolmentGrant, KeyProof};
use protocols::trust;
use protocols::wire::{self, MessageType, SigningKey};

use super::run::JOURNAL_FILE;
use super::{ConfigArgs, say_line};

/// Bytes of the server's answer.
const GRANT_BYTES_MAX: usize = 64 * 1024;

#[derive(Debug, clap::Args)]
pub(super) struct Enrol {
    #[command(flatten)]
    config: ConfigArgs,
    /// The code, `tongluo1:…`.
    #[arg(long)]
    code: String,
    /// State folder; without it, the configured one.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Replace an identity that is there. The old journal is put aside.
    #[arg(long)]
    force: bool,
}

impl Enrol {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.config.load()?;
        let folder = self.state.clone().unwrap_or_else(|| config.state.dir.clone());
        let code = EnrolmentCode::from_text(&self.code).context("--code")?;
        ensure!(!code.root_fingerprints.is_empty(), "--code: it names no root");
        if folder.join(identity::FILE_NAME).exists() && !self.force {
            bail!("{} is enrolled already; --force replaces it", folder.display());
        }
        // The code is good once: what can fail here must fail before it is used.
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        tempfile::NamedTempFile::new_in(&folder).with_context(|| folder.display().to_string())?;

        let seed: [u8; 32] = clock::random_bytes()?;
        let grant =
            claim(&super::run::http(&config, &code.url)?, &code, &SigningKey::from_seed(&seed))?;
        let identity = accept(grant, &code, &seed)?;
        put_aside_journal(&folder, &identity)?;
        identity.save(&folder)?;
        say_line(&format!("已入网 enrolled: {} in {}", identity.terminal, folder.display()))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn claim(
    http: &edge_node::shell::http::Http,
    code: &EnrolmentCode,
    key: &SigningKey,
) -> anyhow::Result<EnrolmentGrant> {
    let proof = KeyProof {
        secret_digest: Digest::of(&code.secret),
        public_key: key.verifying_key().to_bytes().to_vec(),
    };
    let proof = wire::seal(MessageType::KeyProof, None, wire::encode(&proof), key, None);
    let claim =
        EnrolmentClaim { secret: hex::encode(code.secret), proof: URL_SAFE_NO_PAD.encode(proof) };
    let url = format!("{}/api/v1/enrolments/claim", code.url.trim_end_matches('/'));
    let body = serde_json::to_vec(&claim)?;
    let answer = http.post_json(&url, &body, GRANT_BYTES_MAX).with_context(|| url.clone())?;
    serde_json::from_slice(&answer).with_context(|| format!("{url}: the answer is not a grant"))
}

/// Checks the grant against the code and makes the identity of it.
fn accept(
    grant: EnrolmentGrant,
    code: &EnrolmentCode,
    seed: &[u8; 32],
) -> anyhow::Result<Identity> {
    for root in &grant.roots {
        let bytes = hex::decode(root).context("roots: not hexadecimal")?;
        ensure!(
            code.root_fingerprints.contains(&Digest::of(&bytes)),
            "roots: {root} is not one of the roots that the code names"
        );
    }
    let identity = Identity {
        terminal: grant.terminal,
        position: grant.position,
        roots: grant.roots,
        certificate: grant.certificate,
        mqtt_url: grant.mqtt_url,
        mqtt_password: grant.mqtt_password,
        media_url: grant.media_url,
        key_seed: hex::encode(seed),
    };
    let roots = identity.roots().map_err(anyhow::Error::msg)?;
    let certificate = URL_SAFE_NO_PAD
        .decode(&identity.certificate)
        .context("certificate: not URL-safe base64")?;
    trust::open_certificate(&certificate, &roots).context("certificate")?;
    edge_node::shell::mqtt::parse_url(&identity.mqtt_url)?;
    Ok(identity)
}

/// A journal of another terminal must not speak for this one.
fn put_aside_journal(folder: &Path, identity: &Identity) -> anyhow::Result<()> {
    let journal = folder.join(JOURNAL_FILE);
    let is_same = Identity::load(folder).is_ok_and(|old| old.terminal == identity.terminal);
    if journal.exists() && !is_same {
        let aside = folder.join(format!("{JOURNAL_FILE}.before-{}", clock::now().as_second()));
        std::fs::rename(&journal, &aside).with_context(|| aside.display().to_string())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use protocols::certificate::{Algorithm, Certificate};
    use protocols::region::RegionCode;

    use super::*;

    fn root() -> SigningKey {
        SigningKey::from_seed(&[1; 32])
    }

    fn code() -> EnrolmentCode {
        EnrolmentCode {
            root_fingerprints: vec![Digest::of(&root().verifying_key().to_bytes())],
            url: "http://127.0.0.1:1".to_owned(),
            secret: [3; 10],
        }
    }

    fn grant(signer: &SigningKey) -> EnrolmentGrant {
        let region: RegionCode = "350200000000".parse().expect("a region");
        let not_before = Timestamp::UNIX_EPOCH;
        let certificate = Certificate {
            serial: 1,
            public_key: vec![0; 32],
            algorithm: Algorithm::Ed25519,
            region,
            level: region.level(),
            not_before,
            not_after: not_before + SignedDuration::from_hours(24),
            name: "city".to_owned(),
        };
        let payload = wire::encode(&certificate);
        let sealed = wire::seal(MessageType::Certificate, None, payload, signer, None);
        EnrolmentGrant {
            terminal: "350212110201-0007".parse().expect("a terminal"),
            position: None,
            roots: vec![hex::encode(signer.verifying_key().to_bytes())],
            certificate: URL_SAFE_NO_PAD.encode(sealed),
            mqtt_url: "mqtt://127.0.0.1:1883".to_owned(),
            mqtt_password: "p".to_owned(),
            media_url: "http://127.0.0.1:1".to_owned(),
        }
    }

    #[test]
    fn a_grant_of_the_pinned_root_is_accepted() {
        assert!(accept(grant(&root()), &code(), &[2; 32]).is_ok());
    }

    #[test]
    fn a_grant_of_another_root_is_refused_by_name() {
        let other = SigningKey::from_seed(&[8; 32]);
        let error = accept(grant(&other), &code(), &[2; 32]).err().expect("refused");
        assert!(error.to_string().contains("not one of the roots"), "{error}");
    }

    #[test]
    fn a_certificate_that_no_pinned_root_signed_is_refused() {
        let other = SigningKey::from_seed(&[8; 32]);
        let forged = EnrolmentGrant { roots: grant(&root()).roots, ..grant(&other) };
        assert!(accept(forged, &code(), &[2; 32]).is_err());
    }

    #[test]
    fn a_grant_without_roots_is_refused() {
        let empty = EnrolmentGrant { roots: Vec::new(), ..grant(&root()) };
        assert!(accept(empty, &code(), &[2; 32]).is_err());
    }
}
