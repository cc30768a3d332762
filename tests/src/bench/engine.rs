//! The loudspeaker's decisions: how many orders one engine takes from bytes to sound, and how many
//! forgeries it throws away.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use edge_node::engine::io::{AckToken, SoundOutcome};
use edge_node::engine::quiet::{Hours, QuietTable, Volume};
use edge_node::engine::self_test::AudibleTest;
use edge_node::engine::{Config, Engine, Input, Now, Output};
use protocols::limits::ORDER_BYTES_MAX;
use protocols::order::Order;
use protocols::receipt::Evidence;
use protocols::region::RegionCode;
use protocols::trust::open;
use protocols::wire::{MessageType, SigningKey, Topic};

use super::authority::{Authority, EVERY_S, TOWN};
use super::figure::Figure;
use super::timing::{side_by_side, timed};

const RUNS: usize = 9;

/// Orders of one run.
const ORDERS: u64 = 1_000;

/// An engine with a disk that is memory and a loudspeaker that is done at once.
struct Bench {
    engine: Engine,
    number: u64,
    topic: String,
    plays: u64,
    refusals: u64,
}

impl Bench {
    fn new() -> anyhow::Result<Self> {
        let config = Config {
            terminal: Authority::terminal()?,
            position: None,
            roots: Authority::roots(),
            key: SigningKey::from_seed(&[9; 32]),
            version: "figures".to_owned(),
            seed: 7,
            quiet: QuietTable::new(Hours::NONE),
            volume: Volume::default(),
            audible_test: AudibleTest::default(),
        };
        let topic = Topic::RegionOrder(RegionCode::new(TOWN).context("a town")?).to_string();
        let engine = Engine::new(config);
        let mut bench = Self { engine, number: 0, topic, plays: 0, refusals: 0 };
        bench.put(Input::Booted { fresh_journal_id: 77, clock_is_trusted: true });
        bench.put(Input::Connected { session_present: false, nonce: [5; 16] });
        Ok(bench)
    }

    fn now(&self) -> Now {
        let uptime = Duration::from_secs(self.number * EVERY_S.unsigned_abs());
        Now { clock: Authority::sent(self.number), uptime }
    }

    fn put(&mut self, input: Input) {
        let now = self.now();
        self.engine.handle(now, input);
        while let Some(output) = self.engine.poll() {
            match output {
                Output::Journal { token, .. } => {
                    self.engine.handle(now, Input::Journalled { token, result: Ok(()) });
                }
                Output::CompactJournal { token, .. } => {
                    self.engine.handle(now, Input::Compacted { token, result: Ok(()) });
                }
                Output::Play { sounding, .. } | Output::SelfTest { sounding, .. } => {
                    self.plays += 1;
                    let (outcome, evidence) = (SoundOutcome::Finished, Evidence::default());
                    self.engine.handle(now, Input::SoundEnded { sounding, outcome, evidence });
                }
                Output::Count { .. } => self.refusals += 1,
                Output::Ack(_)
                | Output::Publish { .. }
                | Output::FetchClip { .. }
                | Output::CutSound { .. } => {}
            }
        }
    }

    fn hear_all(&mut self, payloads: &[Vec<u8>]) {
        for payload in payloads {
            self.number += 1;
            let ack = AckToken(self.number);
            let topic = self.topic.clone();
            self.put(Input::Message { topic, payload: payload.clone(), ack });
        }
    }
}

/// Orders a second, beside believing them and doing nothing; forgeries a second.
pub(super) fn decisions() -> anyhow::Result<Vec<Figure>> {
    let town = Authority::of(TOWN)?;
    let orders = (1..=ORDERS).map(|number| Ok(town.seal_order(&town.order(number)?)));
    let orders = orders.collect::<anyhow::Result<Vec<_>>>()?;
    let mut bench = Bench::new()?;
    bench.hear_all(&orders);
    ensure!(bench.plays >= ORDERS, "{} of {ORDERS} orders were played", bench.plays);
    let roots = Authority::roots();
    let believe = |bytes: &[u8]| {
        let opened = open::<Order>(bytes, ORDER_BYTES_MAX, MessageType::Order, &roots, &[], None);
        assert!(opened.is_ok());
    };
    let mut benches = (0..=RUNS).map(|_| Bench::new()).collect::<anyhow::Result<Vec<_>>>()?;
    let ours = || {
        let mut bench = benches.pop().expect("one for each run and the first");
        bench.hear_all(&orders);
    };
    let (ours, peer) = side_by_side(RUNS, ours, || orders.iter().for_each(|o| believe(o)));
    let each = |times: &[Duration]| {
        times.iter().map(|time| ORDERS as f64 / time.as_secs_f64()).collect::<Vec<_>>()
    };
    let what = "engine: red orders a second, from bytes to finished";
    let figure = Figure::new("engine-orders", what, "/s", &each(&ours))?;
    let figure = figure
        .beside("verifying them and nothing else", &each(&peer))?
        .note("journal in memory, loudspeaker done at once");
    Ok(vec![figure, forgeries(&orders)?])
}

/// Orders whose last byte, of the signature, is another: the dearest forgery there is, since the
/// certificate in it is genuine.
fn forgeries(orders: &[Vec<u8>]) -> anyhow::Result<Figure> {
    let forge = |order: &Vec<u8>| {
        let mut forged = order.clone();
        if let Some(last) = forged.last_mut() {
            *last ^= 1;
        }
        forged
    };
    let forged = orders.iter().map(forge).collect::<Vec<_>>();
    let mut values = Vec::new();
    for _ in 0..RUNS {
        let mut bench = Bench::new()?;
        let took = timed(|| bench.hear_all(&forged));
        ensure!(bench.plays == 0 && bench.refusals >= ORDERS, "{} refused", bench.refusals);
        values.push(ORDERS as f64 / took.as_secs_f64());
    }
    let what = "engine: forgeries with a genuine certificate refused a second";
    Figure::new("engine-forgeries", what, "/s", &values)
}
