//! `dispatcher openapi`: prints the document that is committed as `dispatcher/openapi.json`.

use std::process::ExitCode;

use super::print;
use crate::http;

/// Prints it.
pub fn run() -> anyhow::Result<ExitCode> {
    print(text()?.trim_end())?;
    Ok(ExitCode::SUCCESS)
}

/// The document as it is committed.
pub fn text() -> anyhow::Result<String> {
    Ok(format!("{}\n", serde_json::to_string_pretty(&http::openapi())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_document_is_fresh() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        let fresh = text().expect("encodes");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        if std::env::var_os("TONGLUO_UPDATE").is_some() {
            std::fs::write(path, fresh).expect("the folder is writable");
            return;
        }
        assert!(
            committed == fresh,
            "openapi.json is stale: `cargo run -p dispatcher -- openapi > dispatcher/openapi.json`"
        );
    }
}
