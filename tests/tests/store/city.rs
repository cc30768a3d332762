//! A city with terminals, and what happens to alerts in it, from the list of regions to receipts.

use std::sync::Arc;

use dispatcher::app::regions;
use dispatcher::config::Config;
use dispatcher::context::{App, Signer};
use dispatcher::domain::actor::{Actor, ActorId, Grant};
use dispatcher::domain::authority::Role;
use dispatcher::domain::keys::{Delegation, delegate};
use dispatcher::ports::{ManualClock, Ports};
use dispatcher::store::Db;
use jiff::Timestamp;
use protocols::region::RegionCode;
use protocols::trust::Roots;
use protocols::wire::SigningKey;
use uuid::Uuid;

use crate::{Notes, alerts, deliveries, intake, lists, stops};

/// When the city's clock begins.
pub(crate) const NOW: Timestamp = Timestamp::constant(1_780_000_000, 0);

/// Xiamen.
pub(crate) const CITY: &str = "350200000000";
/// A district of it.
pub(crate) const DISTRICT: &str = "350211000000";
/// A town of that.
pub(crate) const TOWN: &str = "350211102000";
/// A village of that.
pub(crate) const VILLAGE: &str = "350211102201";
/// A village of another district.
pub(crate) const FAR: &str = "350212105201";

/// A dispatcher that does not serve.
pub(crate) struct City {
    pub(crate) app: Arc<App>,
    pub(crate) clock: Arc<ManualClock>,
}

pub(crate) fn code(text: &str) -> RegionCode {
    text.parse().expect("a code")
}

/// A signer for Xiamen under a root of its own.
pub(crate) fn signer(seed: u8) -> (Signer, Roots) {
    let (root, key) = (SigningKey::from_seed(&[seed; 32]), SigningKey::from_seed(&[seed + 1; 32]));
    let delegation = Delegation {
        serial: 1,
        public_key: key.verifying_key(),
        region: code(CITY),
        name: "test".to_owned(),
        days: 300,
    };
    let sealed = delegate(&root, &delegation, NOW).expect("within the rules");
    let roots = Roots::new([root.verifying_key()]);
    (Signer::new(key, sealed, roots.clone()).expect("fits"), roots)
}

/// A person with this role in the whole city, and a second factor just shown.
pub(crate) fn person(number: u128, role: Role) -> Actor {
    Actor {
        id: ActorId::Account(Uuid::from_u128(number)),
        name: format!("person {number}"),
        grants: vec![Grant { role, region: code(CITY) }],
        stepped_up_at: Some(NOW),
    }
}

impl City {
    /// A millisecond passes, so that identifiers sort by their making.
    pub(crate) fn tick(&self) {
        self.clock.advance(jiff::SignedDuration::from_millis(1));
    }

    pub(crate) async fn build(db: &Db) -> Self {
        let (ports, clock) = Ports::fixed(NOW, 1);
        let (signer, _) = signer(1);
        assert!(regions::seed(db, signer.region()).await.expect("seeds"));
        assert!(!regions::seed(db, signer.region()).await.expect("asks"), "once");
        Self { app: App::new(db.clone(), ports, Config::default(), signer), clock }
    }
}

/// The life of the city.
pub(crate) async fn run(db: &Db, notes: &mut Notes) {
    let city = City::build(db).await;
    lists::run(&city, notes).await;
    let issued = alerts::run(&city, notes).await;
    deliveries::run(&city, &issued, notes).await;
    stops::run(&city, notes).await;
    intake::run(&city, notes).await;
}
