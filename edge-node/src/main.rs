//! `edge-node`: the program of the village device. Commands only; what they do is in the library.

mod commands;

use clap::Parser as _;

fn main() -> std::process::ExitCode {
    commands::Program::parse().run()
}
