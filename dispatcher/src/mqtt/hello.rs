//! 上线对账: who is answered when, and with what. Pure.
//!
//! Ten thousand terminals may say hello in the same second. Each waits in line once (a newer hello
//! takes the place of an older one), and one that asks again too soon is not answered: the answer
//! it asked for is on its way.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use protocols::area::{Position, Target};
use protocols::digest::Digest;
use protocols::hello::{Hello, HelloReply};
use protocols::limits::HELLO_LIST_MAX;
use protocols::region::RegionCode;
use protocols::terminal::TerminalId;

/// Terminals in line: a whole city twice over.
pub const WAITING_MAX: usize = 40_000;

/// A terminal is answered at most this often. A reconnecting one waits longer by its own back-off.
pub const ANSWER_INTERVAL: SignedDuration = SignedDuration::from_millis(500);

/// Hellos answered from one look at the database.
pub const BATCH_MAX: usize = 256;

/// The line of terminals that said hello.
#[derive(Debug, Default)]
pub struct Line {
    order: VecDeque<TerminalId>,
    waiting: BTreeMap<TerminalId, Vec<u8>>,
    answered: BTreeMap<TerminalId, Timestamp>,
    answered_in_order: VecDeque<(Timestamp, TerminalId)>,
}

/// What became of a hello.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It waits in line.
    Waits,
    /// It was answered a moment ago.
    TooSoon,
    /// The line is full.
    Full,
}

impl Line {
    /// A hello came.
    pub fn enter(&mut self, now: Timestamp, terminal: TerminalId, bytes: Vec<u8>) -> Admission {
        self.forget(now);
        if self.answered.contains_key(&terminal) {
            return Admission::TooSoon;
        }
        if let Some(waiting) = self.waiting.get_mut(&terminal) {
            *waiting = bytes;
            return Admission::Waits;
        }
        if self.waiting.len() >= WAITING_MAX {
            return Admission::Full;
        }
        self.order.push_back(terminal);
        self.waiting.insert(terminal, bytes);
        Admission::Waits
    }

    /// The next hellos to answer, at most [`BATCH_MAX`].
    pub fn take(&mut self, now: Timestamp) -> Vec<(TerminalId, Vec<u8>)> {
        let mut batch = Vec::new();
        while batch.len() < BATCH_MAX {
            let Some(terminal) = self.order.pop_front() else { break };
            let Some(bytes) = self.waiting.remove(&terminal) else { continue };
            batch.push((terminal, bytes));
        }
        for (terminal, _) in &batch {
            self.note_answer(now, *terminal);
        }
        batch
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn note_answer(&mut self, now: Timestamp, terminal: TerminalId) {
        self.answered.insert(terminal, now);
        self.answered_in_order.push_back((now, terminal));
    }

    /// A clock that was set back frees everybody too: a hello answered twice does no harm.
    fn forget(&mut self, now: Timestamp) {
        while let Some((at, terminal)) = self.answered_in_order.front().copied() {
            if at <= now && now.duration_since(at) < ANSWER_INTERVAL {
                return;
            }
            self.answered_in_order.pop_front();
            self.answered.remove(&terminal);
        }
    }
}

/// An order that is not over, opened.
#[derive(Debug)]
pub struct LiveOrder {
    /// Digest of the sealed bytes.
    pub digest: Digest,
    /// The region on whose topic it was published.
    pub topic: RegionCode,
    /// The signed bytes.
    pub sealed: Vec<u8>,
    /// Who is meant.
    pub target: Target,
}

/// What the dispatcher knows when it answers.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'f> {
    /// Now.
    pub now: Timestamp,
    /// The terminal's enrolled position.
    pub position: Option<Position>,
    /// Live orders of the terminal's region and the regions above, newest first.
    pub live: &'f [Arc<LiveOrder>],
    /// Receipts on disk of the journal that the hello names.
    pub receipts_up_to: u64,
    /// The newest revocation list.
    pub revocation_number: u64,
    /// Head of the audit chain.
    pub audit_head: Option<Digest>,
}

/// The answer: the reply, and the orders that must follow it.
#[derive(Debug)]
pub struct Answer {
    /// To be sealed.
    pub reply: HelloReply,
    /// Live for this terminal and not held by it, oldest first.
    pub missing: Vec<Arc<LiveOrder>>,
}

/// Answers a hello. Never more than [`HELLO_LIST_MAX`] orders: the newest ones.
pub fn answer(hello: &Hello, facts: Facts<'_>) -> Answer {
    let terminal = hello.terminal;
    let is_meant = |live: &&Arc<LiveOrder>| {
        live.topic.contains(terminal.village()) && live.target.includes(terminal, facts.position)
    };
    let live = facts.live.iter().filter(is_meant).take(HELLO_LIST_MAX).collect::<Vec<_>>();
    let is_held = |live: &Arc<LiveOrder>| hello.held.contains(&live.digest);
    let missing = live.iter().rev().filter(|live| !is_held(live)).map(|live| Arc::clone(live));
    Answer {
        missing: missing.collect(),
        reply: HelloReply {
            terminal,
            nonce: hello.nonce,
            at: facts.now,
            live: live.iter().map(|live| live.digest).collect(),
            receipts_up_to: facts.receipts_up_to,
            revocation_number: facts.revocation_number,
            audit_head: facts.audit_head,
        },
    }
}

#[cfg(test)]
mod tests {
    use protocols::area::PartialVillage;

    use super::*;

    fn at(millisecond: i64) -> Timestamp {
        Timestamp::from_millisecond(millisecond).expect("in the calendar")
    }

    fn terminal(number: u16) -> TerminalId {
        TerminalId::new(region("350212110201"), number).expect("an id")
    }

    fn region(code: &str) -> RegionCode {
        code.parse().expect("a code")
    }

    fn live(name: u8, topic: &str, target: Target) -> Arc<LiveOrder> {
        let digest = Digest([name; 32]);
        Arc::new(LiveOrder { digest, topic: region(topic), target, sealed: vec![name] })
    }

    fn whole(code: &str) -> Target {
        Target { regions: vec![region(code)], ..Target::default() }
    }

    fn hello(number: u16, held: &[u8]) -> Hello {
        Hello {
            terminal: terminal(number),
            nonce: [9; 16],
            journal_id: 4,
            heads: Vec::new(),
            held: held.iter().map(|name| Digest([*name; 32])).collect(),
            time_floor: at(0),
            clock_unsure: true,
            revocation_number: 0,
            version: "t".into(),
        }
    }

    fn facts(live: &[Arc<LiveOrder>]) -> Facts<'_> {
        Facts {
            now: at(5),
            position: None,
            live,
            receipts_up_to: 17,
            revocation_number: 2,
            audit_head: Some(Digest([1; 32])),
        }
    }

    #[test]
    fn a_terminal_is_told_what_is_live_for_it_and_sent_what_it_lacks() {
        let part = PartialVillage::new(region("350212110201"), [8]);
        let others = Target { partial: vec![part], ..Target::default() };
        let live = [
            live(5, "350212110000", whole("350212110000")),
            live(4, "350212110201", others),
            live(3, "350212111000", whole("350212111000")),
            live(2, "350212000000", whole("350212000000")),
        ];
        let answer = answer(&hello(7, &[5]), facts(&live));
        assert_eq!(answer.reply.live, [Digest([5; 32]), Digest([2; 32])]);
        assert_eq!(answer.missing.iter().map(|one| one.sealed[0]).collect::<Vec<_>>(), [2]);
        assert_eq!((answer.reply.nonce, answer.reply.at), ([9; 16], at(5)));
        assert_eq!(answer.reply.receipts_up_to, 17);
    }

    #[test]
    fn missing_orders_follow_in_the_order_they_were_made() {
        let live = [
            live(3, "350212110201", whole("350212110201")),
            live(2, "350212110201", whole("350212110201")),
            live(1, "350212110201", whole("350212110201")),
        ];
        let answer = answer(&hello(7, &[]), facts(&live));
        assert_eq!(answer.missing.iter().map(|one| one.sealed[0]).collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn a_reply_is_bounded_and_names_the_newest() {
        let live = (0..=255_u8)
            .rev()
            .map(|name| live(name, "350212110201", whole("350212110201")))
            .collect::<Vec<_>>();
        let answer = answer(&hello(7, &[]), facts(&live));
        assert_eq!(answer.reply.live.len(), HELLO_LIST_MAX);
        assert_eq!(answer.reply.live[0], Digest([255; 32]));
        assert_eq!(answer.missing.len(), HELLO_LIST_MAX);
    }

    #[test]
    fn each_terminal_waits_once_and_is_not_answered_twice_in_a_moment() {
        let mut line = Line::default();
        assert_eq!(line.enter(at(0), terminal(1), vec![1]), Admission::Waits);
        assert_eq!(line.enter(at(0), terminal(2), vec![2]), Admission::Waits);
        assert_eq!(line.enter(at(1), terminal(1), vec![3]), Admission::Waits);
        assert_eq!(line.take(at(1)), [(terminal(1), vec![3]), (terminal(2), vec![2])]);
        assert!(line.is_empty());
        assert_eq!(line.enter(at(300), terminal(1), vec![4]), Admission::TooSoon);
        assert_eq!(line.enter(at(501), terminal(1), vec![5]), Admission::Waits);
        assert_eq!(line.take(at(501)), [(terminal(1), vec![5])]);
    }

    #[test]
    fn the_line_is_bounded() {
        let mut line = Line::default();
        let village = |n: usize| {
            let code = 350_212_110_000 + n as u64 / 1_000 + 1;
            TerminalId::new(RegionCode::new(code).expect("a code"), (n % 1_000) as u16 + 1)
        };
        for n in 0..WAITING_MAX {
            let id = village(n).expect("an id");
            assert_eq!(line.enter(at(0), id, Vec::new()), Admission::Waits);
        }
        assert_eq!(line.enter(at(0), terminal(1), Vec::new()), Admission::Full);
        assert_eq!(line.take(at(0)).len(), BATCH_MAX);
        assert_eq!(line.enter(at(0), terminal(1), Vec::new()), Admission::Waits);
    }
}
