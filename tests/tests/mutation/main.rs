//! Seeded damage to true messages: every decoder of the table in `tests/decoders`, and those that
//! live in programs and are too large to be built with coverage counters. Each run says its seed.

mod programs;

use std::alloc::System;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use cap::Cap;
use decoders::mutate::Mutator;
use decoders::{Decoder, MEMORY_BYTES_MAX};
use tests::harness::clock;

/// Counts what the decoders allocate; one that takes more than it may ends this program.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// How long each decoder is fed.
const LASTS: Duration = Duration::from_secs(1);

/// No input may take longer, on a machine that does much else.
const HANG: Duration = Duration::from_secs(5);

/// The first input of each run.
const SEED: u64 = 20_261_123;

/// Feeds a decoder until its time is over; the input that broke it is kept and named.
fn feed(decoder: &Decoder) -> u64 {
    let seeds = (decoder.seeds)();
    assert!(!seeds.is_empty(), "{} has true messages to begin with", decoder.name);
    let mut mutator = Mutator::new(SEED, seeds, decoder.words, decoder.bytes_max);
    let begun = clock::instant();
    let mut executions = 0;
    while begun.elapsed() < LASTS {
        let input = mutator.next_input();
        let at = clock::instant();
        let limit = ALLOCATOR.allocated() + MEMORY_BYTES_MAX;
        ALLOCATOR.set_limit(limit).expect("the limit is above what is allocated");
        let outcome = catch_unwind(AssertUnwindSafe(|| (decoder.read)(&input)));
        ALLOCATOR.set_limit(usize::MAX).expect("the limit is above what is allocated");
        let is_hung = at.elapsed() > HANG;
        if outcome.is_err() || is_hung {
            let file = std::env::temp_dir().join(format!("tongluo-{}-input", decoder.name));
            std::fs::write(&file, &input).expect("the input can be kept");
            panic!("{}: input {executions} is kept in {}", decoder.name, file.display());
        }
        executions += 1;
    }
    executions
}

/// One test, since the allocator's limit is one for the whole program.
#[test]
fn no_damage_makes_a_decoder_panic_hang_or_take_more_memory_than_it_may() {
    for decoder in decoders::decoders().iter().chain(programs::DECODERS) {
        let executions = feed(decoder);
        assert!(executions > 10, "{}: {executions} executions", decoder.name);
        say(&format!("mutation: {}: {executions} executions", decoder.name));
    }
}

/// The figures stand in the output of the test.
fn say(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{text}");
}
