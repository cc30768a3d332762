//! A town that signs orders under a root of its own: what the figures without processes work on.

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use protocols::alert::{AlertColor, AlertKey, BroadcastKind};
use protocols::area::Target;
use protocols::certificate::{Algorithm, Certificate};
use protocols::digest::Digest;
use protocols::order::{Order, Outputs, Purpose, Repeats, Sequence, SpokenText, Stream};
use protocols::region::RegionCode;
use protocols::terminal::TerminalId;
use protocols::trust::Roots;
use protocols::wire::{self, MessageType, SigningKey};

/// 莲花镇, as a number.
pub(super) const TOWN: u64 = 350_212_105_000;

/// 莲花村.
pub(super) const VILLAGE: u64 = 350_212_105_201;

/// How long an order of the figures is valid.
const VALID: SignedDuration = SignedDuration::from_secs(60);

/// Seconds between two orders: of those that are valid at once, a terminal holds far fewer than it
/// may.
pub(super) const EVERY_S: i64 = 2;

/// A dispatcher with its certificate.
pub(super) struct Authority {
    region: RegionCode,
    key: SigningKey,
    certificate: Vec<u8>,
}

impl Authority {
    /// The dispatcher of this region.
    pub(super) fn of(region: u64) -> anyhow::Result<Self> {
        let region = RegionCode::new(region).context("a region")?;
        let key = SigningKey::from_seed(&[2; 32]);
        let certificate = Certificate {
            serial: 1,
            public_key: key.verifying_key().to_bytes().to_vec(),
            algorithm: Algorithm::Ed25519,
            region,
            level: region.level(),
            not_before: Self::began() - SignedDuration::from_hours(24),
            not_after: Self::began() + SignedDuration::from_hours(24 * 300),
            name: "莲花镇应急广播平台".to_owned(),
        };
        let bytes = wire::encode(&certificate);
        let certificate = wire::seal(MessageType::Certificate, None, bytes, &root(), None);
        Ok(Self { region, key, certificate })
    }

    /// Whom terminals believe.
    pub(super) fn roots() -> Roots {
        Roots::new([root().verifying_key()])
    }

    /// When its clock begins.
    pub(super) const fn began() -> Timestamp {
        Timestamp::constant(1_780_000_000, 0)
    }

    /// The terminal that its orders mean.
    pub(super) fn terminal() -> anyhow::Result<TerminalId> {
        Ok(TerminalId::new(RegionCode::new(VILLAGE).context("a village")?, 1)?)
    }

    /// When the order of this number is sent.
    pub(super) fn sent(number: u64) -> Timestamp {
        let after = SignedDuration::from_secs(number.cast_signed().saturating_mul(EVERY_S));
        Self::began().saturating_add(after).unwrap_or(Timestamp::MAX)
    }

    /// The red order of this number, for the whole village.
    pub(super) fn order(&self, number: u64) -> anyhow::Result<Order> {
        let village = RegionCode::new(VILLAGE).context("a village")?;
        let sent = Self::sent(number);
        let key = AlertKey {
            sender: self.region.to_string(),
            identifier: format!("alert-{number}"),
            sent,
        };
        Ok(Order {
            alert: key,
            alert_digest: Digest::of(&number.to_be_bytes()),
            stream: Stream { authority: self.region, topic: self.region },
            sequence: Sequence { epoch: 1, number },
            level: self.region.level(),
            purpose: Purpose::Alert,
            references: Vec::new(),
            kind: BroadcastKind::Actual,
            color: Some(AlertColor::Red),
            event: "11B01".parse().context("typhoon")?,
            sent,
            expires: sent + VALID,
            play_at: None,
            target: Target { regions: vec![village], ..Target::default() },
            texts: vec![SpokenText {
                language: "zh-CN".to_owned(),
                text: "台风红色预警。台风今天中午前后登陆，请马上转移到避灾点，听从村干部安排。"
                    .to_owned(),
                clip: None,
            }],
            repeats: Repeats::ONCE,
            outputs: Outputs::PLAY,
            drill: None,
            wants_out_of_area: false,
            trace: None,
        })
    }

    /// The signed bytes of an order.
    pub(super) fn seal_order(&self, order: &Order) -> Vec<u8> {
        let bytes = wire::encode(order);
        let stream = Some(order.stream);
        wire::seal(MessageType::Order, stream, bytes, &self.key, Some(&self.certificate))
    }
}

fn root() -> SigningKey {
    SigningKey::from_seed(&[1; 32])
}
