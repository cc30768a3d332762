//! Key, certificate and roots: do they belong together, and for how long?

use jiff::{SignedDuration, Timestamp};

use super::Check;
use crate::config::Config;
use crate::context::Signer;

/// Days before the end of the certificate from which on it is said.
const EXPIRY_WARNING_DAYS: i64 = 30;

/// The signer, if its three files fit together, and what is to be said of them.
pub(super) fn checks(config: &Config, now: Timestamp) -> (Option<Signer>, Vec<Check>) {
    match Signer::load(&config.trust) {
        Ok(signer) => {
            let check = validity(&signer, now);
            (Some(signer), vec![check])
        }
        Err(error) => {
            let check = Check::broken(
                "certificate",
                format!(
                    "密钥、证书、根公钥不可用或不配套: {error:#}；三者须出自同一次 dispatcher key root \
                     与 key delegate"
                ),
                format!(
                    "{error:#}; key, certificate and roots come from one `dispatcher key root` and \
                     `dispatcher key delegate`: put back those that belong together"
                ),
            );
            (None, vec![check])
        }
    }
}

fn validity(signer: &Signer, now: Timestamp) -> Check {
    let left = signer.expires().duration_since(now);
    let (region, days) = (signer.region(), left.as_hours() / 24);
    if left <= SignedDuration::ZERO {
        return Check::broken(
            "certificate",
            format!(
                "区划 {region} 的证书已于 {} 过期；运行 dispatcher key delegate",
                signer.expires()
            ),
            format!("for {region}, expired at {}: `dispatcher key delegate`", signer.expires()),
        );
    }
    let zh = format!("区划 {region} 的证书剩余 {days} 天（续期: dispatcher key delegate）");
    let en = format!("for {region}, {days} days left (renew: `dispatcher key delegate`)");
    if days < EXPIRY_WARNING_DAYS {
        return Check::soon("certificate", zh, en);
    }
    Check::good("certificate", zh, en)
}
