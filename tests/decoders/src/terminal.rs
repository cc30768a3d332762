//! The whole terminal: messages under true and under broken signatures, in any order, and whatever
//! is found in its journal.

use std::time::Duration;

use edge_node::engine::config::Config;
use edge_node::engine::io::{AckToken, SoundOutcome};
use edge_node::engine::quiet::{Hours, QuietTable, Volume};
use edge_node::engine::self_test::AudibleTest;
use edge_node::engine::{Engine, Input, Now, Output, journal};
use jiff::SignedDuration;
use protocols::hello::HelloReply;
use protocols::limits::ORDER_BYTES_MAX;
use protocols::order::Stream;
use protocols::receipt::Evidence;
use protocols::region::RegionCode;
use protocols::terminal::TerminalId;
use protocols::trust::Roots;
use protocols::wire::{self, MessageType, SigningKey, Topic};

use crate::{Decoder, vectors};

/// Messages of one input: enough for an alert, its update, its end, and what comes between.
const MESSAGES_MAX: usize = 8;

/// Outputs that one input may cause at most. A terminal that never falls silent hangs.
const OUTPUTS_MAX: usize = 10_000;

/// The bit of a message's first byte that says: under the true signature.
const SIGNED: u8 = 0x08;

/// The bit that says: a minute later.
const LATER: u8 = 0x10;

pub(crate) const TERMINAL: Decoder = Decoder {
    name: "terminal",
    bytes_max: 4 * ORDER_BYTES_MAX,
    seeds: || {
        let mut seeds = Vec::new();
        for order in vectors::orders_judged() {
            seeds.push(framed(&[(0, order)]));
        }
        let order = (SIGNED, vectors::ORDER.payload.clone());
        let command = (SIGNED | 1, vectors::COMMAND.payload.clone());
        let revocations = (SIGNED | 2, vectors::REVOCATION_LIST.payload.clone());
        let reply = (SIGNED | 5, vectors::HELLO_REPLY.payload.clone());
        let ack = (SIGNED | 6, vectors::RECEIPT_ACK.payload.clone());
        seeds.push(framed(&[reply.clone(), order.clone()]));
        seeds.push(framed(&[reply, order.clone(), (LATER | 7, Vec::new()), order, ack]));
        seeds.push(framed(&[command]));
        seeds.push(framed(&[revocations]));
        seeds
    },
    words: &[],
    read: |bytes| {
        let mut bench = Bench::new();
        bench.boot(&[]);
        let mut rest = bytes;
        for _ in 0..MESSAGES_MAX {
            let [first, high, low, after @ ..] = rest else { break };
            let length = usize::from(u16::from_be_bytes([*high, *low])).min(after.len());
            let (message, after) = after.split_at(length);
            bench.hear(*first, message);
            rest = after;
        }
        // What it wrote down it reads again, and goes on.
        for record in &bench.journal {
            journal::describe(record).expect("a terminal reads what it wrote");
        }
        let journal = std::mem::take(&mut bench.journal);
        let mut again = Bench::new();
        again.boot(&journal);
        again.pass();
    },
};

pub(crate) const JOURNAL: Decoder = Decoder {
    name: "journal",
    bytes_max: 64 * 1024,
    seeds: || {
        let mut bench = Bench::new();
        bench.boot(&[]);
        for (first, payload) in [
            (SIGNED | 5, vectors::HELLO_REPLY.payload.clone()),
            (SIGNED, vectors::ORDER.payload.clone()),
            (SIGNED | 1, vectors::COMMAND.payload.clone()),
            (SIGNED | 2, vectors::REVOCATION_LIST.payload.clone()),
        ] {
            bench.hear(first, &payload);
            bench.pass();
        }
        bench.journal
    },
    words: &[],
    read: |bytes| {
        if let Ok(lines) = journal::describe(bytes) {
            std::hint::black_box(&lines);
        }
        let mut bench = Bench::new();
        bench.boot(&[bytes.to_vec()]);
        bench.hear(SIGNED, &vectors::ORDER.payload);
        bench.pass();
    },
};

fn framed(messages: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (first, message) in messages {
        bytes.push(*first);
        bytes.extend((message.len() as u16).to_be_bytes());
        bytes.extend(message);
    }
    bytes
}

/// A terminal whose disk and loudspeaker always work.
struct Bench {
    engine: Engine,
    now: Now,
    journal: Vec<Vec<u8>>,
    acks: u64,
}

impl Bench {
    fn new() -> Self {
        let engine = Engine::new(Config {
            terminal: terminal(),
            position: None,
            roots: Roots::new([key("root").verifying_key()]),
            key: key("terminal"),
            version: "bench".to_owned(),
            seed: 7,
            quiet: QuietTable::new(Hours::between(22, 6)),
            volume: Volume::default(),
            audible_test: AudibleTest::default(),
        });
        let now = Now { clock: vectors::judged_at(), uptime: Duration::ZERO };
        Self { engine, now, journal: Vec::new(), acks: 0 }
    }

    fn boot(&mut self, journal: &[Vec<u8>]) {
        for record in journal {
            self.put(Input::Replay(record.clone()));
        }
        self.put(Input::Booted { fresh_journal_id: 77, clock_is_trusted: true });
        let reply: HelloReply =
            wire::decode(&vectors::HELLO_REPLY.payload).expect("a committed vector");
        self.put(Input::Connected { session_present: false, nonce: reply.nonce });
    }

    /// A message; its first byte says where it comes from.
    fn hear(&mut self, first: u8, message: &[u8]) {
        if first & LATER != 0 {
            self.pass();
        }
        let village = terminal().village();
        let town = stream().topic;
        let (topic, signer) = match first & 7 {
            0 => (Topic::RegionOrder(town), "dispatcher"),
            1 => (Topic::RegionCommand(town), "dispatcher"),
            2 => (Topic::RegionRevocation(village), "root"),
            3 => (Topic::TerminalOrder(terminal()), "dispatcher"),
            4 => (Topic::TerminalCommand(terminal()), "dispatcher"),
            5 => (Topic::TerminalReply(terminal()), "dispatcher"),
            6 => (Topic::TerminalAck(terminal()), "dispatcher"),
            _ => return self.put(Input::LocalStop),
        };
        let payload = match topic.message_type() {
            Some(kind) if first & SIGNED != 0 => signed(kind, signer, message),
            Some(_) | None => message.to_vec(),
        };
        self.acks += 1;
        let ack = AckToken(self.acks);
        self.put(Input::Message { topic: topic.to_string(), payload, ack });
    }

    /// A minute passes.
    fn pass(&mut self) {
        let minute = SignedDuration::from_mins(1);
        self.now.clock = self.now.clock.checked_add(minute).expect("no input moves this clock");
        self.now.uptime += Duration::from_mins(1);
        self.put(Input::Wakeup);
    }

    fn put(&mut self, input: Input) {
        self.engine.handle(self.now, input);
        for _ in 0..OUTPUTS_MAX {
            let Some(output) = self.engine.poll() else { return };
            self.carry_out(output);
        }
        panic!("more than {OUTPUTS_MAX} outputs to one input");
    }

    fn carry_out(&mut self, output: Output) {
        let answer = match output {
            Output::Journal { token, record } => {
                self.journal.push(record);
                Input::Journalled { token, result: Ok(()) }
            }
            Output::CompactJournal { token, records } => {
                self.journal = records;
                Input::Compacted { token, result: Ok(()) }
            }
            Output::Play { sounding, .. } | Output::SelfTest { sounding, .. } => {
                self.engine.handle(self.now, Input::SoundStarted { sounding, at: self.now.clock });
                let (outcome, evidence) = (SoundOutcome::Finished, Evidence::default());
                Input::SoundEnded { sounding, outcome, evidence }
            }
            Output::FetchClip { reference, .. } => Input::ClipFailed { digest: reference.digest },
            Output::Publish { topic, payload, .. } => {
                assert!(topic.may_publish(terminal()), "it speaks for itself alone");
                assert!(payload.len() <= protocols::limits::MESSAGE_BYTES_MAX, "within its limit");
                return;
            }
            Output::Ack(_) | Output::CutSound { .. } | Output::Count { .. } => return,
        };
        self.engine.handle(self.now, answer);
    }
}

fn terminal() -> TerminalId {
    TerminalId::new(region(350_212_103_201), 7).expect("the terminal of the vectors")
}

fn region(number: u64) -> RegionCode {
    RegionCode::new(number).expect("a region of the vectors")
}

/// The stream of the vectors: the city speaks on the topic of a town.
fn stream() -> Stream {
    Stream { authority: region(350_200_000_000), topic: region(350_212_103_000) }
}

fn key(name: &str) -> SigningKey {
    SigningKey::from_seed(vectors::seed(name))
}

fn signed(kind: MessageType, signer: &str, message: &[u8]) -> Vec<u8> {
    let has_stream = matches!(kind, MessageType::Order | MessageType::Command);
    let certificate = (signer == "dispatcher").then(|| &vectors::CERTIFICATE.sealed[..]);
    let stream = has_stream.then(stream);
    wire::seal(kind, stream, message.to_vec(), &key(signer), certificate)
}
