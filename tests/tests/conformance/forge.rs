//! Makes orders that are wrong in one way each, with the city's real keys at hand.

use std::path::Path;

use anyhow::Context as _;
use dispatcher::context::read_key;
use jiff::{SignedDuration, Timestamp};
use protocols::certificate::{Algorithm, Certificate, RevocationList};
use protocols::digest::Digest;
use protocols::limits::ORDER_BYTES_MAX;
use protocols::order::{Order, Sequence, Stream};
use protocols::region::RegionCode;
use protocols::trust::{Roots, open_certificate};
use protocols::wire::{self, KeyId, MessageType, Sealed, SigningKey};

/// Whoever seals: a key and the certificate that goes along.
pub(crate) struct Signer {
    pub(crate) key: SigningKey,
    pub(crate) certificate: Vec<u8>,
}

impl Signer {
    pub(crate) fn seal(&self, order: &Order) -> Vec<u8> {
        let (kind, payload) = (MessageType::Order, wire::encode(order));
        wire::seal(kind, Some(order.stream), payload, &self.key, Some(&self.certificate))
    }
}

/// The keys of a city, and an order of its dispatcher as it passed.
pub(crate) struct Forge {
    root: SigningKey,
    /// The dispatcher itself.
    pub(crate) own: Signer,
    /// The order that passed.
    pub(crate) order: Order,
    /// Its bytes.
    pub(crate) sealed: Vec<u8>,
    now: Timestamp,
}

impl Forge {
    pub(crate) fn new(folder: &Path, sealed: Vec<u8>, now: Timestamp) -> anyhow::Result<Self> {
        let root = read_key(&folder.join("roots/root-active.key"))?;
        let key = read_key(&folder.join("dispatcher/dispatcher.key"))?;
        let parsed = Sealed::parse(&sealed, ORDER_BYTES_MAX).context("an envelope")?;
        let certificate = parsed.certificate().context("a certificate")?.to_vec();
        let roots = Roots::new([root.verifying_key()]);
        open_certificate(&certificate, &roots).context("signed by the root")?;
        let payload = parsed.verify(MessageType::Order, &key.verifying_key());
        let order = wire::decode(payload.context("signed by the dispatcher")?);
        let order = order.map_err(|error| anyhow::anyhow!("not an order: {error}"))?;
        let own = Signer { key, certificate };
        Ok(Self { root, own, order, sealed, now })
    }

    /// A signer for `region` whose certificate began and ends so many hours from now.
    pub(crate) fn delegate(&self, seed: u8, region: RegionCode, hours: (i64, i64)) -> Signer {
        Self::certify(&self.root, SigningKey::from_seed(&[seed; 32]), region, self.now, hours)
    }

    /// As above, under a root that nobody pinned.
    pub(crate) fn delegate_by_stranger(&self, seed: u8, region: RegionCode) -> Signer {
        let root = SigningKey::from_seed(&[0xEE; 32]);
        Self::certify(&root, SigningKey::from_seed(&[seed; 32]), region, self.now, (-1, 24))
    }

    fn certify(
        root: &SigningKey,
        key: SigningKey,
        region: RegionCode,
        now: Timestamp,
        hours: (i64, i64),
    ) -> Signer {
        let certificate = Certificate {
            serial: 99,
            public_key: key.verifying_key().to_bytes().to_vec(),
            algorithm: Algorithm::Ed25519,
            region,
            level: region.level(),
            not_before: now + SignedDuration::from_hours(hours.0),
            not_after: now + SignedDuration::from_hours(hours.1),
            name: "forger".to_owned(),
        };
        let payload = wire::encode(&certificate);
        let certificate = wire::seal(MessageType::Certificate, None, payload, root, None);
        Signer { key, certificate }
    }

    /// The numbered list by which the root takes these keys back.
    pub(crate) fn revocation(&self, number: u64, keys: Vec<KeyId>) -> Vec<u8> {
        let list = RevocationList { number, at: self.now, keys };
        let kind = MessageType::RevocationList;
        wire::seal(kind, None, wire::encode(&list), &self.root, None)
    }

    /// A fresh alert like the one that passed, with this number, changed as told.
    pub(crate) fn like(&self, number: u64, change: impl FnOnce(&mut Order)) -> Order {
        let mut order = self.order.clone();
        order.alert.identifier = format!("forged-{number}");
        order.alert_digest = Digest::of(order.alert.identifier.as_bytes());
        order.sequence = Sequence { number, ..order.sequence };
        change(&mut order);
        order
    }

    /// The bytes that passed with other words in the same place.
    pub(crate) fn altered(&self) -> anyhow::Result<Vec<u8>> {
        let (what, with) = ("暴雨".as_bytes(), "台风".as_bytes());
        let mut bytes = self.sealed.clone();
        let place = bytes.windows(what.len()).position(|window| window == what);
        let place = place.context("the words are in the bytes")?;
        bytes[place..place + with.len()].copy_from_slice(with);
        Ok(bytes)
    }

    pub(crate) fn stream(authority: RegionCode, topic: RegionCode) -> Stream {
        Stream { authority, topic }
    }
}
