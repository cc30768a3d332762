//! Key, certificate and roots: do they belong together, for how long, who may read the key, and was
//! it revoked?

use jiff::Timestamp;

use super::{Check, words};
use crate::app::revocations::newest;
use crate::config::Config;
use crate::context::Signer;
use crate::domain::keys::Standing;
use crate::signer::open_to_others;
use crate::store::Db;

/// The signer, if its three files fit together, and what is to be said of them.
pub(super) fn checks(config: &Config, now: Timestamp) -> (Option<Signer>, Vec<Check>) {
    match Signer::load(&config.trust) {
        Ok(signer) => {
            let checks = vec![validity(&signer, now), key_file(config)];
            (Some(signer), checks)
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
    let (region, ends) = (signer.region(), signer.expires());
    let days = ends.duration_since(now).as_hours() / 24;
    let zh = format!("区划 {region} 的证书剩余 {days} 天");
    let en = format!("for {region}, {days} days left");
    match signer.standing(now) {
        // A revoked key is named by the check of the revocation list, which knows of it.
        Standing::Good | Standing::Revoked => Check::good("certificate", zh, en),
        Standing::Due => Check::soon(
            "certificate",
            format!("{zh}，已过半或不足 30 天；运行 dispatcher key rotate 续期"),
            format!("{en}, half of its life or less than 30 days: `dispatcher key rotate`"),
        ),
        Standing::NotValid => Check::broken(
            "certificate",
            format!("区划 {region} 的证书此刻无效（{ends} 止）；运行 dispatcher key rotate"),
            format!("for {region}, not valid now, its end is {ends}: `dispatcher key rotate`"),
        ),
    }
}

/// The private key is its owner's alone.
fn key_file(config: &Config) -> Check {
    let path = config.trust.key_file.display();
    match open_to_others(&config.trust.key_file) {
        None => Check::good("key file", "私钥文件权限正常", "readable by its owner alone"),
        Some(mode) => Check::broken(
            "key file",
            format!("私钥文件 {path} 的权限为 {mode:03o}，他人可读；运行 chmod 600 {path}"),
            format!("{path} has mode {mode:03o}, others may read it: `chmod 600 {path}`"),
        ),
    }
}

/// Whether the key in use was revoked. The tables must be up to date.
pub(super) async fn revocations(db: &Db, signer: &Signer) -> Check {
    let newest = match db.read().await {
        Ok(mut connection) => newest(&mut connection, signer.roots()).await,
        Err(error) => Err(error),
    };
    match newest {
        Ok(None) => Check::good("revocations", "无吊销列表", "no list was brought in"),
        Ok(Some(list)) if list.keys.contains(&signer.key_id()) => {
            let key = signer.key_id();
            Check::broken(
                "revocations",
                format!("本平台密钥 {key} 已被吊销；用 dispatcher key rotate --new-key 更换"),
                format!(
                    "the key {key} of this dispatcher is revoked: `dispatcher key rotate --new-key`"
                ),
            )
        }
        Ok(Some(list)) => Check::good(
            "revocations",
            format!("列表编号 {}，{} 个密钥", list.number, list.keys.len()),
            format!("list {}, {} keys, not this dispatcher's", list.number, list.keys.len()),
        ),
        Err(error) => {
            let text = words(&error);
            Check::broken(
                "revocations",
                format!("吊销列表不可用: {text}；重新运行 dispatcher key import-revocations"),
                format!(
                    "the list is not usable: {text}; `dispatcher key import-revocations` again"
                ),
            )
        }
    }
}
