//! `edge-node`: the program of the village device. Commands only; what they do is in the library.

#[cfg(all(without_unwinding, panic = "unwind"))]
compile_error!("opt-level \"z\" leaves out the tables of unwinding: set panic = \"abort\", too");

mod commands;

use clap::Parser as _;

fn main() -> std::process::ExitCode {
    commands::Program::parse().run()
}
