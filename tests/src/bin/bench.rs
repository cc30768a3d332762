//! `cargo xtask bench`: measures, prints the table, leaves `target/bench/*.json`. Names of groups
//! as arguments measure those alone.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use tests::bench;

fn main() -> ExitCode {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    let result = match arguments.as_slice() {
        // In a process of its own, so that its memory is the file's alone.
        [flag, name] if flag == "--hostile" => hostile(name),
        groups => measure(groups),
    };
    result.unwrap_or_else(|error| {
        eprintln!("bench: {error:#}");
        ExitCode::FAILURE
    })
}

fn hostile(name: &str) -> anyhow::Result<ExitCode> {
    use std::io::Write as _;
    writeln!(std::io::stdout(), "{}", bench::read_hostile(name)?).context("print")?;
    Ok(ExitCode::SUCCESS)
}

#[tokio::main]
async fn measure(groups: &[String]) -> anyhow::Result<ExitCode> {
    let failed = bench::run(groups, &target()?.join("bench")).await?;
    if failed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("bench: not measured: {}", failed.join(", "));
    Ok(ExitCode::FAILURE)
}

fn target() -> anyhow::Result<PathBuf> {
    let here = std::env::current_exe().context("ask where this program is")?;
    Ok(here.ancestors().nth(2).context("the program lies in target/<profile>")?.to_owned())
}
