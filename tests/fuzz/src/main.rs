//! One fuzz target for the whole table: `TONGLUO_DECODER` names the decoder, or `list` prints all.
//!
//! libFuzzer owns the command line. Before it reads it, the golden vectors are written into the
//! folder `TONGLUO_SEEDS`, so that the first corpus is made of true messages.
#![no_main]

use std::alloc::System;
use std::path::Path;
use std::sync::OnceLock;

use cap::Cap;
use decoders::{Decoder, decoders};
use libfuzzer_sys::fuzz_target;

/// Counts what the decoders allocate. libFuzzer itself allocates elsewhere, in C++.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

static DECODER: OnceLock<&'static Decoder> = OnceLock::new();

fuzz_target!(
    init: begin(),
    |bytes: &[u8]| {
        let decoder = DECODER.get().expect("begin() has chosen one");
        let limit = ALLOCATOR.allocated() + decoders::MEMORY_BYTES_MAX;
        ALLOCATOR.set_limit(limit).expect("the limit is above what is allocated");
        (decoder.read)(bytes);
        ALLOCATOR.set_limit(usize::MAX).expect("the limit is above what is allocated");
    }
);

fn begin() {
    let name = std::env::var("TONGLUO_DECODER").unwrap_or_else(|_| "list".to_owned());
    let Some(decoder) = decoders().iter().find(|decoder| decoder.name == name) else {
        for decoder in decoders() {
            println!("{}\t{}", decoder.name, decoder.bytes_max);
        }
        std::process::exit(i32::from(name != "list"));
    };
    DECODER.set(decoder).unwrap_or_else(|_| unreachable!("begin() runs once"));
    let Some(folder) = std::env::var_os("TONGLUO_SEEDS") else { return };
    write(Path::new(&folder), decoder).expect("the folder of seeds can be written");
}

/// The seeds as files, and the words of the language as a dictionary beside them.
fn write(folder: &Path, decoder: &Decoder) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (n, seed) in (decoder.seeds)().into_iter().enumerate() {
        std::fs::write(folder.join(format!("seed-{n}")), seed)?;
    }
    let line = |word: &&str| format!("\"{}\"\n", word.replace('\\', "\\\\").replace('"', "\\\""));
    let words = decoder.words.iter().map(line).collect::<String>();
    // libFuzzer takes an empty dictionary for a missing one: a comment is not empty.
    let words = format!("# Words of {}.\n{words}", decoder.name);
    std::fs::write(folder.with_extension("words"), words)
}
