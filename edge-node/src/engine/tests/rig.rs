//! A terminal on a bench: keys, signed messages, a journal in memory, a loudspeaker that does what
//! it is told.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use protocols::alert::{AlertColor, AlertKey, AlertReference, BroadcastKind};
use protocols::area::Target;
use protocols::certificate::{Algorithm, Certificate};
use protocols::command::{Command, CommandAction};
use protocols::digest::Digest;
use protocols::hello::HelloReply;
use protocols::order::{
    ClipReference, Order, Outputs, Purpose, Repeats, Sequence, SpokenText, Stream,
};
use protocols::receipt::{Evidence, Reason, Receipt, ReceiptAck, ReceiptBatch, ReceiptState};
use protocols::region::RegionCode;
use protocols::terminal::TerminalId;
use protocols::trust::Roots;
use protocols::wire::{self, MessageType, Sealed, SigningKey, Topic};

use crate::engine::Engine;
use crate::engine::config::Config;
use crate::engine::io::{
    AckToken, CutHow, Input, JournalError, Now, Output, Segment, SoundOutcome, SoundingId,
};
use crate::engine::quiet::{Hours, QuietTable, Volume};
use crate::engine::self_test::AudibleTest;

pub(super) const CITY: u64 = 350_200_000_000;
pub(super) const DISTRICT: u64 = 350_212_000_000;
pub(super) const TOWN: u64 = 350_212_110_000;
pub(super) const OTHER_TOWN: u64 = 350_212_103_000;
pub(super) const VILLAGE: u64 = 350_212_110_201;
pub(super) const OTHER_VILLAGE: u64 = 350_212_103_201;

pub(super) fn region(number: u64) -> RegionCode {
    RegionCode::new(number).expect("a region")
}

pub(super) fn terminal() -> TerminalId {
    TerminalId::new(region(VILLAGE), 7).expect("a terminal")
}

pub(super) fn epoch() -> Timestamp {
    "2026-08-01T02:00:00Z".parse().expect("ten in the morning in Xiamen")
}

pub(super) fn root() -> SigningKey {
    SigningKey::from_seed(&[1; 32])
}

/// A dispatcher: the key of its region under the root.
pub(super) fn key_of(authority: u64) -> SigningKey {
    let mut seed = [2; 32];
    seed[..8].copy_from_slice(&authority.to_be_bytes());
    SigningKey::from_seed(&seed)
}

pub(super) fn certificate(authority: u64, root: &SigningKey) -> Vec<u8> {
    let certificate = Certificate {
        serial: authority,
        public_key: key_of(authority).verifying_key().to_bytes().to_vec(),
        algorithm: Algorithm::Ed25519,
        region: region(authority),
        level: region(authority).level(),
        not_before: epoch() - SignedDuration::from_hours(24),
        not_after: epoch() + SignedDuration::from_hours(24 * 300),
        name: "bench".to_owned(),
    };
    wire::seal(MessageType::Certificate, None, wire::encode(&certificate), root, None)
}

pub(super) fn seal<T: minicbor::Encode<()>>(
    authority: u64,
    kind: MessageType,
    stream: Option<Stream>,
    message: &T,
) -> Vec<u8> {
    let certificate = certificate(authority, &root());
    wire::seal(kind, stream, wire::encode(message), &key_of(authority), Some(&certificate))
}

/// An order of an authority for the village, to be changed field by field.
pub(super) fn order(authority: u64, number: u64) -> Order {
    let sent = epoch() + SignedDuration::from_secs(number.cast_signed());
    Order {
        alert: AlertKey {
            sender: format!("{authority}"),
            identifier: format!("alert-{number}"),
            sent,
        },
        alert_digest: Digest::of(format!("{authority} {number}").as_bytes()),
        stream: Stream { authority: region(authority), topic: region(TOWN) },
        sequence: Sequence { epoch: 1, number },
        level: region(authority).level(),
        purpose: Purpose::Alert,
        references: Vec::new(),
        kind: BroadcastKind::Actual,
        color: Some(AlertColor::Red),
        event: "11B01".parse().expect("typhoon"),
        sent,
        expires: epoch() + SignedDuration::from_hours(6),
        play_at: None,
        target: Target { regions: vec![region(VILLAGE)], ..Target::default() },
        texts: vec![SpokenText {
            language: "zh-CN".to_owned(),
            text: format!("台风红色预警，第{number}号。"),
            clip: None,
        }],
        repeats: Repeats::ONCE,
        outputs: Outputs::PLAY,
        drill: None,
        wants_out_of_area: false,
        trace: None,
    }
}

pub(super) fn colored(authority: u64, number: u64, color: Option<AlertColor>) -> Order {
    Order { color, ..order(authority, number) }
}

pub(super) fn about(purpose: Purpose, number: u64, alert: &Order, authority: u64) -> Order {
    let reference = AlertReference { key: alert.alert.clone(), digest: alert.alert_digest };
    let color = alert.color;
    Order { purpose, references: vec![reference], color, ..order(authority, number) }
}

pub(super) fn with_clip(mut order: Order, duration_ms: u32) -> (Order, Digest) {
    let digest = Digest::of(order.texts[0].text.as_bytes());
    order.texts[0].clip = Some(ClipReference { digest, bytes: 9_000, duration_ms });
    (order, digest)
}

pub(super) fn sealed(order: &Order) -> Vec<u8> {
    seal(order.stream.authority.number(), MessageType::Order, Some(order.stream), order)
}

pub(super) fn command(authority: u64, number: u64, action: CommandAction) -> Command {
    Command {
        stream: Stream { authority: region(authority), topic: region(TOWN) },
        sequence: Sequence { epoch: 1, number },
        level: region(authority).level(),
        sent: epoch(),
        expires: epoch() + SignedDuration::from_hours(6),
        action,
    }
}

/// What was handed to the loudspeaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Played {
    pub sounding: SoundingId,
    pub order: Digest,
    pub repeat: u8,
    pub plan: Vec<Segment>,
    pub at: Timestamp,
    pub skip_ms: u32,
    pub volume_percent: u8,
}

/// The bench.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "a bench has switches")]
pub(super) struct Rig {
    pub engine: Engine,
    pub uptime: Duration,
    pub clock: Timestamp,
    pub journal: Vec<Vec<u8>>,
    /// Writes still allowed before the power goes.
    pub writes_left: Option<usize>,
    pub is_disk_full: bool,
    pub is_off: bool,
    pub cache: BTreeSet<Digest>,
    pub plays: Vec<Played>,
    pub running: Option<SoundingId>,
    pub cuts: Vec<CutHow>,
    /// Whether the loudspeaker confirms a cut at once.
    pub obeys_cuts: bool,
    pub acks: Vec<AckToken>,
    pub published: Vec<(Topic, Vec<u8>)>,
    pub receipts: Vec<(u64, Receipt)>,
    pub counts: Vec<Reason>,
    pub fetched: Vec<Digest>,
    /// Self-tests: plan, volume, when.
    pub tests: Vec<(Vec<Segment>, u8, Timestamp)>,
    /// How the loudspeaker ends a self-test at once, unless it goes on until it is cut.
    pub test_outcome: SoundOutcome,
    pub holds_tests: bool,
    next_ack: u64,
}

pub(super) fn config() -> Config {
    Config {
        terminal: terminal(),
        position: None,
        roots: Roots::new([root().verifying_key()]),
        key: SigningKey::from_seed(&[9; 32]),
        version: "edge-node bench".to_owned(),
        seed: 7,
        quiet: QuietTable::new(Hours::between(22, 6)),
        volume: Volume::default(),
        audible_test: AudibleTest::default(),
    }
}

/// The answer to the first hello of a bench.
pub(super) fn reply(rig: &Rig) -> HelloReply {
    HelloReply {
        terminal: terminal(),
        nonce: [5; 16],
        at: rig.clock,
        live: Vec::new(),
        receipts_up_to: 0,
        revocation_number: 0,
        audit_head: None,
    }
}

impl Rig {
    /// A terminal with a good clock, connected and answered.
    pub(super) fn new() -> Self {
        let mut rig = Self::off(Vec::new());
        rig.boot(true);
        rig.connect();
        rig.answer();
        rig
    }

    /// A terminal without power, with this journal.
    pub(super) fn off(journal: Vec<Vec<u8>>) -> Self {
        Self {
            engine: Engine::new(config()),
            uptime: Duration::ZERO,
            clock: epoch() + SignedDuration::from_mins(5),
            journal,
            writes_left: None,
            is_disk_full: false,
            is_off: false,
            cache: BTreeSet::new(),
            plays: Vec::new(),
            running: None,
            cuts: Vec::new(),
            obeys_cuts: true,
            acks: Vec::new(),
            published: Vec::new(),
            receipts: Vec::new(),
            counts: Vec::new(),
            fetched: Vec::new(),
            tests: Vec::new(),
            test_outcome: SoundOutcome::Finished,
            holds_tests: false,
            next_ack: 0,
        }
    }

    /// The same journal and cache after a power cut.
    pub(super) fn after_power_cut(&self) -> Self {
        let mut rig = Self::off(self.journal.clone());
        rig.clock = self.clock;
        rig.cache.clone_from(&self.cache);
        rig
    }

    pub(super) fn boot(&mut self, clock_is_trusted: bool) {
        for record in self.journal.clone() {
            self.put(Input::Replay(record));
        }
        self.put(Input::Booted { fresh_journal_id: 77, clock_is_trusted });
    }

    pub(super) fn connect(&mut self) {
        self.put(Input::Connected { session_present: false, nonce: [5; 16] });
    }

    pub(super) fn answer(&mut self) {
        let reply = reply(self);
        self.send(
            Topic::TerminalReply(terminal()),
            seal(TOWN, MessageType::HelloReply, None, &reply),
        );
    }

    pub(super) fn put(&mut self, input: Input) {
        if self.is_off {
            return;
        }
        self.engine.handle(Now { clock: self.clock, uptime: self.uptime }, input);
        while let Some(output) = self.engine.poll() {
            if self.is_off {
                return;
            }
            self.carry_out(output);
        }
    }

    fn carry_out(&mut self, output: Output) {
        let now = Now { clock: self.clock, uptime: self.uptime };
        match output {
            Output::Journal { token, record } => {
                if self.writes_left == Some(0) {
                    self.is_off = true;
                    return;
                }
                self.writes_left = self.writes_left.map(|left| left - 1);
                let result = if self.is_disk_full {
                    Err(JournalError)
                } else {
                    self.journal.push(record);
                    Ok(())
                };
                self.engine.handle(now, Input::Journalled { token, result });
            }
            Output::CompactJournal { token, records } => {
                let result = if self.is_disk_full {
                    Err(JournalError)
                } else {
                    self.journal = records;
                    Ok(())
                };
                self.engine.handle(now, Input::Compacted { token, result });
            }
            Output::Ack(token) => self.acks.push(token),
            Output::Publish { topic, payload, .. } => self.take_publication(topic, payload),
            Output::FetchClip { reference, .. } => {
                self.fetched.push(reference.digest);
                if self.cache.contains(&reference.digest) {
                    self.engine.handle(now, Input::ClipReady { digest: reference.digest });
                }
            }
            Output::Play { sounding, order, repeat, plan, skip_ms, volume_percent, .. } => {
                assert!(self.running.is_none(), "two soundings at once");
                self.running = Some(sounding);
                let at = self.clock;
                self.plays.push(Played {
                    sounding,
                    order,
                    repeat,
                    plan,
                    at,
                    skip_ms,
                    volume_percent,
                });
            }
            Output::SelfTest { sounding, plan, volume_percent } => {
                assert!(self.running.is_none(), "two soundings at once");
                self.tests.push((plan, volume_percent, self.clock));
                if self.holds_tests {
                    self.running = Some(sounding);
                    return;
                }
                let outcome = self.test_outcome;
                let evidence = Evidence { frames: 72_000, ..Evidence::default() };
                self.engine.handle(now, Input::SoundEnded { sounding, outcome, evidence });
            }
            Output::CutSound { sounding, how } => {
                assert_eq!(self.running, Some(sounding));
                self.cuts.push(how);
                if self.obeys_cuts && how == CutHow::Now {
                    self.running = None;
                    let outcome = SoundOutcome::Cut;
                    let evidence = Evidence { frames: 480, ..Evidence::default() };
                    self.engine.handle(now, Input::SoundEnded { sounding, outcome, evidence });
                }
            }
            Output::Count { reason, .. } => self.counts.push(reason),
        }
    }

    fn take_publication(&mut self, topic: Topic, payload: Vec<u8>) {
        if topic == Topic::TerminalReceipt(terminal()) {
            let batch: ReceiptBatch = opened(&payload, MessageType::Receipts);
            assert!(batch.is_bounded());
            for (index, receipt) in batch.receipts.into_iter().enumerate() {
                let number = batch.first_number + index as u64;
                if self.receipts.iter().all(|(known, _)| *known != number) {
                    self.receipts.push((number, receipt));
                }
            }
        }
        self.published.push((topic, payload));
    }

    pub(super) fn send(&mut self, topic: Topic, payload: Vec<u8>) -> AckToken {
        self.next_ack += 1;
        let ack = AckToken(self.next_ack);
        self.put(Input::Message { topic: topic.to_string(), payload, ack });
        ack
    }

    /// Sends an order on its topic; its digest.
    pub(super) fn order(&mut self, order: &Order) -> Digest {
        let bytes = sealed(order);
        let digest = Digest::of(&bytes);
        self.send(Topic::RegionOrder(order.stream.topic), bytes);
        digest
    }

    pub(super) fn command(&mut self, command: &Command) {
        let authority = command.stream.authority.number();
        let bytes = seal(authority, MessageType::Command, Some(command.stream), command);
        self.send(Topic::RegionCommand(command.stream.topic), bytes);
    }

    pub(super) fn acknowledge_receipts(&mut self, up_to: u64) {
        let ack = ReceiptAck { terminal: terminal(), journal_id: 77, up_to };
        self.send(Topic::TerminalAck(terminal()), seal(TOWN, MessageType::ReceiptAck, None, &ack));
    }

    /// Lets time pass, waking the engine whenever it asks.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.uptime + time;
        while !self.is_off {
            let next = self.engine.next_wakeup().filter(|at| *at < end);
            let at = next.unwrap_or(end).max(self.uptime);
            let passed = at.saturating_sub(self.uptime);
            self.clock += SignedDuration::try_from(passed).expect("short");
            self.uptime = at;
            self.put(Input::Wakeup);
            if next.is_none() {
                return;
            }
        }
    }

    pub(super) fn pass_s(&mut self, seconds: u64) {
        self.pass(Duration::from_secs(seconds));
    }

    pub(super) fn end(&mut self, outcome: SoundOutcome) {
        let sounding = self.running.take().expect("something sounds");
        let evidence = Evidence { frames: 48_000, ..Evidence::default() };
        self.put(Input::SoundEnded { sounding, outcome, evidence });
    }

    pub(super) fn finish(&mut self) {
        self.end(SoundOutcome::Finished);
    }

    pub(super) fn playing(&self) -> Option<Digest> {
        self.running.and(self.plays.last()).map(|played| played.order)
    }

    /// The orders that still have something to sound.
    pub(super) fn live(&self) -> BTreeSet<Digest> {
        let orders = self.engine.state.orders.iter();
        orders.filter(|(_, held)| held.is_live()).map(|(digest, _)| *digest).collect()
    }

    /// What was reported about an order, in the order of numbers.
    pub(super) fn told(&self, order: Digest) -> Vec<(ReceiptState, Option<Reason>, u8)> {
        let mut about: Vec<_> = self.receipts.iter().filter(|(_, r)| r.order == order).collect();
        about.sort_by_key(|(number, _)| *number);
        about.iter().map(|(_, r)| (r.state, r.reason, r.repeat)).collect()
    }

    pub(super) fn says(&self, order: Digest, state: ReceiptState, reason: Reason) -> bool {
        self.told(order).iter().any(|(s, r, _)| *s == state && *r == Some(reason))
    }
}

/// Opens what the terminal signed.
pub(super) fn opened<T: for<'b> minicbor::Decode<'b, ()>>(payload: &[u8], kind: MessageType) -> T {
    let sealed = Sealed::parse(payload, 16 * 1024).expect("an envelope within its limit");
    let key = SigningKey::from_seed(&[9; 32]).verifying_key();
    wire::decode(sealed.verify(kind, &key).expect("signed by the terminal")).expect("its type")
}
