//! Orders that are forged in one way each, put straight into an open broker: each is refused for
//! its reason in a receipt that the dispatcher believes, and nothing of them sounds.

use anyhow::{Context as _, ensure};
use jiff::SignedDuration;
use protocols::alert::{AlertReference, BroadcastKind};
use protocols::digest::Digest;
use protocols::order::{Order, Purpose};
use protocols::region::RegionCode;
use protocols::wire;
use tests::harness::broker::{Broker, BrokerKind};
use tests::harness::clock;

use crate::city::{NEAR, NEAR_DISTRICT, NEAR_TOWN, Town};
use crate::forge::{Forge, Signer};
use crate::vendor::Vendor;
use crate::wire_tap::WireTap;

/// 同安区: it does not hold the near village.
const FOREIGN_DISTRICT: &str = "350212000000";

/// A number far above those that the dispatcher has used.
const HIGH: u64 = 5_000;

/// Everything but the forgery.
struct Stage {
    town: Town,
    near: Vendor,
    tap: WireTap,
    forge: Forge,
    topic: String,
    // Outlives the dispatcher.
    _broker: Broker,
    _folder: tempfile::TempDir,
}

impl Stage {
    /// One genuine order has passed and sounded.
    async fn build() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let broker = Broker::start(BrokerKind::Mosquitto, folder.path(), None).await?;
        let town = Town::build(folder.path(), Some(broker.url.clone())).await?;
        let near = town.terminal(NEAR)?;
        town.online(1).await?;
        let mut tap = WireTap::connect(broker.port).await?;
        let alert = town.issue(1, 0).await?;
        let (topic, sealed) = tap.hear().await?;
        town.receipt(&near, &alert, ("alert", "finished", 1)).await?;
        let forge = Forge::new(town.folder(), sealed, clock::now())?;
        Ok(Self { town, near, tap, forge, topic, _broker: broker, _folder: folder })
    }

    /// Publishes on the genuine order's topic and asserts the receipt.
    async fn refused(&mut self, bytes: &[u8], state: &str, reason: &str) -> anyhow::Result<()> {
        let topic = self.topic.clone();
        self.refused_on(&topic, bytes, state, reason).await
    }

    async fn refused_on(
        &mut self,
        topic: &str,
        bytes: &[u8],
        state: &str,
        reason: &str,
    ) -> anyhow::Result<()> {
        self.tap.say(topic, bytes).await?;
        let name = Digest::of(bytes);
        let is_wanted = |verdict: &(String, String)| verdict.1 == reason;
        let verdict = self.town.verdict(&self.near, &name.0, is_wanted).await;
        let verdict = verdict.with_context(|| reason.to_owned())?;
        ensure!(verdict.0 == state, "{reason}: {verdict:?}");
        Ok(())
    }

    fn began(&self) -> anyhow::Result<usize> {
        Ok(self.near.story()?.iter().filter(|line| line.starts_with("began")).count())
    }
}

fn region(code: &str) -> RegionCode {
    code.parse().expect("a region code")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_pinned_root_vouches_for_is_refused_for_its_reason() -> anyhow::Result<()> {
    let mut stage = Stage::build().await?;
    let bare = wire::encode(&stage.forge.order);
    stage.refused(&bare, "refused", "malformed").await?;
    stage.refused(&[0x84; 5_000], "refused", "oversize").await?;
    let stranger = stage.forge.delegate_by_stranger(1, region("350200000000"));
    let order = stage.forge.like(HIGH, |_| {});
    stage.refused(&stranger.seal(&order), "refused", "unknown_signer").await?;
    let altered = stage.forge.altered()?;
    stage.refused(&altered, "refused", "bad_signature").await?;
    let expired = stage.forge.delegate(2, region("350200000000"), (-48, -1));
    stage.refused(&expired.seal(&order), "refused", "certificate_expired").await?;
    let foreign = stage.forge.delegate(3, region(FOREIGN_DISTRICT), (-1, 24));
    let order = stage.forge.like(HIGH, |order| spoken_by(order, FOREIGN_DISTRICT));
    stage.refused(&foreign.seal(&order), "refused", "out_of_scope").await?;
    ensure!(stage.began()? == 1, "nothing forged was spoken: {:#?}", stage.near.story()?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_key_than_the_certificates_is_refused() -> anyhow::Result<()> {
    let mut stage = Stage::build().await?;
    let thief = stage.forge.delegate_by_stranger(4, region("350200000000"));
    let certificate = stage.forge.own.certificate.clone();
    let thief = Signer { certificate, ..thief };
    let order = stage.forge.like(HIGH, |_| {});
    stage.refused(&thief.seal(&order), "refused", "bad_signature").await?;
    ensure!(stage.began()? == 1, "{:#?}", stage.near.story()?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_right_key_may_not_say_is_refused_for_its_reason() -> anyhow::Result<()> {
    let mut stage = Stage::build().await?;
    // A replay: the same topic is a duplicate without a word, another topic is out of scope.
    let replay = stage.forge.sealed.clone();
    let topic = stage.topic.clone();
    stage.tap.say(&topic, &replay).await?;
    let other = format!("tongluo/1/region/{NEAR_DISTRICT}/order");
    stage.refused_on(&other, &replay, "refused", "out_of_scope").await?;

    let own = |stage: &Stage, order: &Order| stage.forge.own.seal(order);
    let number = stage.forge.order.sequence.number;
    let same_number = stage.forge.like(number, |_| {});
    let bytes = own(&stage, &same_number);
    stage.refused(&bytes, "refused", "tampered").await?;
    let over = stage.forge.like(HIGH, |order| {
        order.sent -= SignedDuration::from_mins(20);
        order.expires = order.sent + SignedDuration::from_mins(1);
    });
    let bytes = own(&stage, &over);
    stage.refused(&bytes, "refused", "expired").await?;
    let nobody = stage.forge.like(HIGH, |order| {
        order.target.regions.clear();
        order.target.partial.clear();
        order.target.shapes.clear();
    });
    let bytes = own(&stage, &nobody);
    stage.refused(&bytes, "refused", "invalid").await?;
    let drill = stage.forge.like(HIGH, |order| {
        order.kind = BroadcastKind::Exercise;
        order.drill = Some("2026-autumn".to_owned());
    });
    let bytes = own(&stage, &drill);
    stage.refused(&bytes, "refused", "not_in_drill").await?;

    // A number far ahead moves the window, though its order is for somebody else.
    let ahead = stage.forge.like(HIGH, |order| {
        order.target.regions = vec![region(FOREIGN_DISTRICT)];
        order.target.partial.clear();
        order.wants_out_of_area = true;
    });
    let bytes = own(&stage, &ahead);
    stage.refused(&bytes, "refused", "out_of_area").await?;
    let below = stage.forge.like(number + 1, |_| {});
    let bytes = own(&stage, &below);
    stage.refused(&bytes, "refused", "below_window").await?;

    // A town may not end what the city said.
    let town = stage.forge.delegate(5, region(NEAR_TOWN), (-1, 24));
    let named = AlertReference {
        key: stage.forge.order.alert.clone(),
        digest: stage.forge.order.alert_digest,
    };
    let stray = stage.forge.like(1, |order| {
        spoken_by(order, NEAR_TOWN);
        order.purpose = Purpose::Withdrawn;
        order.references = vec![named];
    });
    stage.refused(&town.seal(&stray), "refused", "stray_cancel").await?;
    ensure!(stage.began()? == 1, "nothing of it was spoken: {:#?}", stage.near.story()?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_revoked_key_sounds_ends_at_once_and_it_is_not_believed_again() -> anyhow::Result<()>
{
    let mut stage = Stage::build().await?;
    let alert = stage.town.issue(3, 5).await?;
    let (_, sealed) = stage.tap.hear().await?;
    stage.town.receipt(&stage.near, &alert, ("alert", "started", 1)).await?;
    let list = stage.forge.revocation(7, vec![stage.forge.own.key.key_id()]);
    let topic = format!("tongluo/1/region/{}/revocation", NEAR.0);
    stage.tap.say(&topic, &list).await?;
    let name = Digest::of(&sealed).0;
    let is_over = |verdict: &(String, String)| verdict.1 == "key_revoked";
    let verdict = stage.town.verdict(&stage.near, &name, is_over).await?;
    ensure!(verdict.0 == "interrupted", "{verdict:?}");
    // An older list takes nothing back.
    let older = stage.forge.revocation(6, Vec::new());
    stage.tap.say(&topic, &older).await?;
    let order = stage.forge.like(HIGH, |_| {});
    let bytes = stage.forge.own.seal(&order);
    stage.refused(&bytes, "refused", "key_revoked").await?;
    ensure!(stage.began()? == 2, "{:#?}", stage.near.story()?);
    Ok(())
}

/// Speaks as the authority of `code`, of its level, on the near village's topic and for it.
fn spoken_by(order: &mut Order, code: &str) {
    let authority = region(code);
    order.stream = Forge::stream(authority, order.stream.topic);
    order.level = authority.level();
}
