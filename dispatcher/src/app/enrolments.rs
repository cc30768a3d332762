//! How a terminal joins: a code for 24 hours and one use, a claim with a proof, a grant.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use protocols::digest::Digest;
use protocols::enrolment::{
    ENROLMENT_CODE_HOURS, EnrolmentClaim, EnrolmentCode, EnrolmentGrant, KeyProof,
};
use protocols::terminal::TerminalId;
use protocols::trust::Roots;
use serde_json::json;

use crate::app::terminals::TerminalError;
use crate::app::{audit, events};
use crate::context::App;
use crate::domain::actor::Actor;
use crate::mqtt::verifier::{self, Strength};
use crate::ports::Ports;
use crate::store::terminals::PasswordVerifiers;
use crate::store::{self, StoreError, Tx};

/// A code and how long it is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCode {
    /// For the paper on site. Nothing of its secret is kept but the digest.
    pub code: EnrolmentCode,
    /// From when on it is refused.
    pub expires_at: Timestamp,
}

/// Why a claim is refused.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// The secret is not 20 hex digits.
    #[error("the secret is not 20 hexadecimal digits")]
    Secret,
    /// The proof is not one, or for another secret.
    #[error("the proof does not show that the terminal holds its key")]
    Proof,
    /// No such code, used already, too old, or its terminal was retired. One answer for all: a
    /// stranger learns nothing from it.
    #[error("the code is not good, or no longer")]
    NotGood,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a code for a terminal. Codes made earlier for it end here. A terminal that has joined may
/// join again, with a new key: its storage was replaced.
pub async fn create(
    tx: &mut Tx,
    ports: &Ports,
    actor: &Actor,
    terminal: TerminalId,
    url: &str,
    roots: &Roots,
) -> Result<NewCode, TerminalError> {
    let now = ports.now();
    let known = store::terminals::get(tx, terminal).await?.ok_or(TerminalError::NotFound)?;
    if known.retired_at.is_some() {
        return Err(TerminalError::Retired);
    }
    let secret: [u8; 10] = ports.bytes();
    let expires_at = now + SignedDuration::from_hours(ENROLMENT_CODE_HOURS);
    store::enrolments::revoke(tx, terminal, now).await?;
    store::enrolments::insert(tx, Digest::of(&secret), terminal, actor.id, now, expires_at).await?;
    let detail = json!({ "expires_at": expires_at });
    let object = format!("terminal:{terminal}");
    audit::append(tx, now, actor, "make_enrolment_code", &object, &detail).await?;
    let root_fingerprints = roots.keys().iter().map(|root| Digest::of(&root.to_bytes())).collect();
    let code = EnrolmentCode { root_fingerprints, url: url.to_owned(), secret };
    Ok(NewCode { code, expires_at })
}

/// Lets a terminal in: checks its proof, uses its code up, gives it a password.
pub async fn claim(
    tx: &mut Tx,
    app: &App,
    claim: &EnrolmentClaim,
) -> Result<EnrolmentGrant, ClaimError> {
    let mut secret = [0; 10];
    hex::decode_to_slice(&claim.secret, &mut secret).map_err(|_| ClaimError::Secret)?;
    let secret = Digest::of(&secret);
    let proof = URL_SAFE_NO_PAD.decode(&claim.proof).map_err(|_| ClaimError::Proof)?;
    let (proof, key) = KeyProof::open(&proof).map_err(|_| ClaimError::Proof)?;
    if proof.secret_digest != secret {
        return Err(ClaimError::Proof);
    }
    let now = app.now();
    let claimed = store::enrolments::claim(tx, secret, now).await?;
    let id = claimed.ok_or(ClaimError::NotGood)?;
    let known = store::terminals::get(tx, id).await?.ok_or(ClaimError::NotGood)?;
    if known.retired_at.is_some() {
        return Err(ClaimError::NotGood);
    }
    let mqtt_password = hex::encode(app.ports.bytes::<16>());
    let drawn = Strength::Drawn;
    let verifiers = PasswordVerifiers {
        digest: Digest::of(mqtt_password.as_bytes()),
        mosquitto: verifier::mosquitto(&mqtt_password, &app.ports.bytes(), drawn),
        nats: verifier::nats(&mqtt_password, app.ports.bytes(), drawn),
    };
    store::terminals::enrol(tx, id, &key.to_bytes(), &verifiers, now).await?;
    store::regions::raise_revision(tx).await?;
    let body = json!({ "type": "terminal_enrolled", "terminal": id });
    events::push(tx, now, events::Topic::Terminals, id.village(), &body).await?;
    let detail = json!({ "key": key.key_id().to_string() });
    let object = format!("terminal:{id}");
    audit::append(tx, now, &Actor::system(), "enrol_terminal", &object, &detail).await?;
    let roots = app.signer.roots().keys().iter().map(|root| hex::encode(root.to_bytes()));
    Ok(EnrolmentGrant {
        terminal: id,
        position: known.position.map(Into::into),
        roots: roots.collect(),
        certificate: URL_SAFE_NO_PAD.encode(app.signer.sealed_certificate()),
        mqtt_url: app.config.mqtt.terminal_url(app.broker_address.get().copied()),
        mqtt_password,
        media_url: app.config.server.base_url(),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use protocols::wire::SigningKey;

    use super::*;
    use crate::app::{regions, terminals};
    use crate::config::Config;
    use crate::context::Signer;
    use crate::domain::keys::{Delegation, delegate};
    use crate::domain::terminal::TerminalDetails;
    use crate::ports::ManualClock;
    use crate::store::Db;

    const NOW: Timestamp = Timestamp::constant(1_780_000_000, 0);

    struct City {
        app: Arc<App>,
        clock: Arc<ManualClock>,
        _folder: tempfile::TempDir,
    }

    async fn city() -> City {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}/city.db", folder.path().display());
        let db = Db::open(&url, 4).await.expect("opened");
        let (ports, clock) = Ports::fixed(NOW, 1);
        let root = SigningKey::from_seed(&[1; 32]);
        let key = SigningKey::from_seed(&[2; 32]);
        let delegation = Delegation {
            serial: 1,
            public_key: key.verifying_key(),
            region: "350200000000".parse().expect("a code"),
            name: "test".to_owned(),
            days: 30,
        };
        let sealed = delegate(&root, &delegation, NOW).expect("within the rules");
        let signer = Signer::new(key, sealed, Roots::new([root.verifying_key()])).expect("fits");
        let is_seeded = regions::seed(&db, signer.region()).await.expect("seeded");
        assert!(is_seeded && !regions::seed(&db, signer.region()).await.expect("a second time"));
        let app = App::new(db, ports, Config::default(), signer);
        City { app, clock, _folder: folder }
    }

    async fn code(app: &App) -> (TerminalId, EnrolmentCode) {
        let mut tx = app.db.begin().await.expect("begun");
        let actor = Actor::system();
        let details = TerminalDetails {
            name: "村委会".to_owned(),
            place: Some((24.61, 117.99)),
            is_speaking: true,
        };
        let village = "350211102201".parse().expect("a code");
        let terminal = terminals::create(&mut tx, app.now(), &actor, village, &details).await;
        let id = terminal.expect("planned").id;
        let new = create(&mut tx, &app.ports, &actor, id, "http://x", app.signer.roots()).await;
        tx.commit().await.expect("committed");
        (id, new.expect("a code").code)
    }

    fn ask(code: &EnrolmentCode, seed: u8) -> EnrolmentClaim {
        let key = SigningKey::from_seed(&[seed; 32]);
        EnrolmentClaim {
            secret: hex::encode(code.secret),
            proof: URL_SAFE_NO_PAD.encode(KeyProof::seal(&code.secret, &key)),
        }
    }

    async fn try_claim(app: &App, request: &EnrolmentClaim) -> Result<EnrolmentGrant, ClaimError> {
        let mut tx = app.db.begin().await?;
        let grant = claim(&mut tx, app, request).await?;
        tx.commit().await?;
        Ok(grant)
    }

    #[tokio::test]
    async fn a_terminal_joins_by_its_code_once_and_is_meant_from_then_on() {
        let city = city().await;
        let (id, code) = code(&city.app).await;
        let mut read = city.app.db.read().await.expect("a connection");
        let before = city.app.places.current(&mut read).await.expect("read");
        assert_eq!((before.tree.len(), before.terminals.terminals().len()), (616, 0));
        drop(read);
        let grant = try_claim(&city.app, &ask(&code, 9)).await.expect("let in");
        assert_eq!(grant.terminal, id);
        let mut read = city.app.db.read().await.expect("a connection");
        let after = city.app.places.current(&mut read).await.expect("read");
        assert_eq!(after.terminals.terminals().len(), 1);
        let digest = store::terminals::mqtt_password(&mut read, id).await.expect("read");
        assert_eq!(digest, Some(Digest::of(grant.mqtt_password.as_bytes())));
        let roots: Vec<Digest> =
            grant.roots.iter().map(|root| Digest::of(&hex::decode(root).expect("hex"))).collect();
        assert_eq!(roots, code.root_fingerprints);
        drop(read);
        let again = try_claim(&city.app, &ask(&code, 9)).await;
        assert!(matches!(again, Err(ClaimError::NotGood)));
    }

    #[tokio::test]
    async fn of_many_claims_at_once_one_is_let_in() {
        let city = city().await;
        let (_, code) = code(&city.app).await;
        let claims = (10..18).map(|seed| {
            let (app, request) = (city.app.clone(), ask(&code, seed));
            tokio::spawn(async move { try_claim(&app, &request).await.is_ok() })
        });
        let mut let_in = 0;
        for claim in claims.collect::<Vec<_>>() {
            let_in += usize::from(claim.await.expect("ran"));
        }
        assert_eq!(let_in, 1);
    }

    #[tokio::test]
    async fn a_late_a_foreign_and_an_outdated_claim_are_refused() {
        let city = city().await;
        let (id, first) = code(&city.app).await;
        let foreign = EnrolmentClaim { secret: hex::encode([7; 10]), ..ask(&first, 9) };
        assert!(matches!(try_claim(&city.app, &foreign).await, Err(ClaimError::Proof)));
        let short = EnrolmentClaim { secret: "00".to_owned(), ..ask(&first, 9) };
        assert!(matches!(try_claim(&city.app, &short).await, Err(ClaimError::Secret)));
        let mut tx = city.app.db.begin().await.expect("begun");
        let roots = city.app.signer.roots();
        let actor = Actor::system();
        let second = create(&mut tx, &city.app.ports, &actor, id, "http://x", roots).await;
        tx.commit().await.expect("committed");
        let second = second.expect("a code").code;
        assert!(matches!(try_claim(&city.app, &ask(&first, 9)).await, Err(ClaimError::NotGood)));
        city.clock.advance(SignedDuration::from_hours(ENROLMENT_CODE_HOURS));
        assert!(matches!(try_claim(&city.app, &ask(&second, 9)).await, Err(ClaimError::NotGood)));
    }

    #[tokio::test]
    async fn an_import_that_would_take_a_village_from_its_terminal_changes_nothing() {
        let city = city().await;
        let (id, _) = code(&city.app).await;
        let (all, aliases) = regions::read(None, None).expect("shipped");
        let mut tx = city.app.db.begin().await.expect("begun");
        let same = regions::import(&mut tx, &all, &aliases).await.expect("the same again");
        assert_eq!((same.changed, same.removed, same.aliases), (0, 0, 52));
        let fewer: Vec<_> =
            all.iter().filter(|region| region.code != id.village()).cloned().collect();
        let refused = regions::import(&mut tx, &fewer, &aliases).await;
        assert!(matches!(refused, Err(regions::ImportError::Faults(faults)) if faults.len() == 1));
        drop(tx);
        let mut read = city.app.db.read().await.expect("a connection");
        assert_eq!(store::regions::count(&mut read).await.expect("counted"), 616);
        let table = regions::alias_table(&mut read).await.expect("read");
        let meaning = table.resolve(protocols::region::CodeScheme::Unstated, "350213003", NOW);
        assert!(matches!(meaning, protocols::region::CodeMeaning::Ambiguous { .. }));
    }
}
