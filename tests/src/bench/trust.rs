//! Trust: from the bytes of an order to an order that is believed.

use anyhow::Context as _;
use ed25519_dalek::Signer as _;
use protocols::limits::ORDER_BYTES_MAX;
use protocols::order::Order;
use protocols::trust::open;
use protocols::wire::MessageType;

use super::authority::{Authority, TOWN};
use super::figure::Figure;
use super::timing::{each, side_by_side, us};

const RUNS: usize = 51;

/// Verifications of one run.
const BATCH: u32 = 100;

/// Envelope, certificate, both signatures, revocation, payload; beside the two signatures alone.
pub(super) fn chain() -> anyhow::Result<Vec<Figure>> {
    let town = Authority::of(TOWN)?;
    let sealed = town.seal_order(&town.order(1)?);
    let (roots, now) = (Authority::roots(), Authority::began());
    let verify =
        || open::<Order>(&sealed, ORDER_BYTES_MAX, MessageType::Order, &roots, &[], Some(now));
    verify().context("the order is believed")?;
    let key = ed25519_dalek::SigningKey::from_bytes(&[5; 32]);
    let (signature, public) = (key.sign(&sealed), key.verifying_key());
    let ours = || (0..BATCH).for_each(|_| assert!(verify().is_ok()));
    let peer = || {
        (0..2 * BATCH).for_each(|_| assert!(public.verify_strict(&sealed, &signature).is_ok()));
    };
    let (ours, peer) = side_by_side(RUNS, ours, peer);
    let one = |times: &[std::time::Duration]| {
        each(times, us).iter().map(|time| time / f64::from(BATCH)).collect::<Vec<_>>()
    };
    let what = format!("verify an order of {} bytes with its chain", sealed.len());
    let figure = Figure::new("chain-verify", &what, "µs", &one(&ours))?;
    Ok(vec![figure.beside("two bare Ed25519 verifications of as many bytes", &one(&peer))?])
}
