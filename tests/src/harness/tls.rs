//! A certificate authority of one's own for TLS on loopback, made by openssl.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use super::process::{find, run};

/// What a broker on 127.0.0.1 needs for TLS, and what its clients believe it by.
#[derive(Debug, Clone)]
pub struct BrokerTls {
    /// The authority's certificate (PEM).
    pub ca_file: PathBuf,
    /// The broker's certificate (PEM).
    pub certificate_file: PathBuf,
    /// The broker's private key (PEM).
    pub key_file: PathBuf,
}

impl BrokerTls {
    /// Makes an authority and one certificate for 127.0.0.1 in `folder`.
    pub fn make(folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder).context("make the folder of certificates")?;
        let at = |name: &str| folder.join(name);
        let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
        run(openssl()?
            .args(["req", "-x509", "-days", "2", "-subj", "/CN=tongluo test authority"])
            .args(curve)
            .arg("-keyout")
            .arg(at("ca.key"))
            .arg("-out")
            .arg(at("ca.pem")))?;
        run(openssl()?
            .args(["req", "-subj", "/CN=broker"])
            .args(curve)
            .arg("-keyout")
            .arg(at("broker.key"))
            .arg("-out")
            .arg(at("broker.csr")))?;
        let names = "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n";
        std::fs::write(at("broker.ext"), names).context("write the certificate's names")?;
        run(openssl()?
            .args(["x509", "-req", "-days", "2", "-CAcreateserial", "-in"])
            .arg(at("broker.csr"))
            .arg("-CA")
            .arg(at("ca.pem"))
            .arg("-CAkey")
            .arg(at("ca.key"))
            .arg("-extfile")
            .arg(at("broker.ext"))
            .arg("-out")
            .arg(at("broker.pem")))?;
        Ok(Self {
            ca_file: at("ca.pem"),
            certificate_file: at("broker.pem"),
            key_file: at("broker.key"),
        })
    }
}

fn openssl() -> anyhow::Result<Command> {
    Ok(Command::new(find("openssl")?))
}
