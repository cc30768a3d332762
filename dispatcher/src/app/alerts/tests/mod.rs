//! Alerts through their use cases, on SQLite in a throw-away folder.

mod cap_in;
mod closing;
mod life;
mod races;
mod words;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use protocols::alert::{AlertColor, BroadcastKind};
use protocols::limits;
use protocols::order::Order;
use protocols::region::RegionCode;
use protocols::terminal::TerminalId;
use protocols::trust::{Roots, open};
use protocols::wire::{MessageType, SigningKey};
use uuid::Uuid;

use super::{AlertError, approval, draft, issue};
use crate::app::regions;
use crate::config::Config;
use crate::context::{App, Signer};
use crate::domain::actor::{Actor, ActorId, Grant};
use crate::domain::alert::content::{AlertContent, AlertText, REPEATS_DEFAULT};
use crate::domain::alert::record::Alert;
use crate::domain::authority::Role;
use crate::domain::keys::{Delegation, delegate};
use crate::domain::targeting::RequestedArea;
use crate::domain::terminal::Terminal;
use crate::ports::{ManualClock, Ports};
use crate::store::{self, Db};

const NOW: Timestamp = Timestamp::constant(1_780_000_000, 0);
const CITY: &str = "350200000000";
const DISTRICT: &str = "350211000000";
const TOWN: &str = "350211102000";
const VILLAGE: &str = "350211102201";

struct City {
    app: Arc<App>,
    clock: Arc<ManualClock>,
    root: SigningKey,
    _folder: tempfile::TempDir,
}

fn code(text: &str) -> RegionCode {
    text.parse().expect("a code")
}

/// A city with two terminals in one village and one in each of two other towns.
async fn city() -> City {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}/city.db", folder.path().display());
    let db = Db::open(&url, 8).await.expect("opened");
    let (ports, clock) = Ports::fixed(NOW, 1);
    let root = SigningKey::from_seed(&[1; 32]);
    let key = SigningKey::from_seed(&[2; 32]);
    let delegation = Delegation {
        serial: 1,
        public_key: key.verifying_key(),
        region: code(CITY),
        name: "test".to_owned(),
        days: 30,
    };
    let sealed = delegate(&root, &delegation, NOW).expect("within the rules");
    let signer = Signer::new(key, sealed, Roots::new([root.verifying_key()])).expect("fits");
    regions::seed(&db, signer.region()).await.expect("seeded");
    let app = App::new(db, ports, Config::default(), signer);
    let mut tx = app.db.begin().await.expect("begun");
    let mut other = other_villages(&mut tx, &app).await;
    other.truncate(2);
    for (village, number) in [(code(VILLAGE), 1), (code(VILLAGE), 2), (other[0], 1), (other[1], 1)]
    {
        plant(&mut tx, village, number).await;
    }
    store::regions::raise_revision(&mut tx).await.expect("raised");
    tx.commit().await.expect("committed");
    City { app, clock, root, _folder: folder }
}

/// Villages of other towns: one of the same district, one of another.
async fn other_villages(tx: &mut store::Tx, app: &App) -> Vec<RegionCode> {
    use protocols::region::RegionLevel::{District, Town, Village};
    let places = app.places.current(tx).await.expect("read");
    let villages = places
        .tree
        .iter()
        .filter(|region| region.code.level() == Village && region.is_target)
        .map(|region| region.code)
        .collect::<Vec<_>>();
    let beside = villages.iter().find(|village| {
        village.at(District) == Some(code(DISTRICT)) && village.at(Town) != Some(code(TOWN))
    });
    let beyond = villages.iter().find(|village| village.at(District) != Some(code(DISTRICT)));
    vec![*beside.expect("a second town"), *beyond.expect("a second district")]
}

async fn plant(tx: &mut store::Tx, village: RegionCode, number: u16) {
    let id = TerminalId::new(village, number).expect("a terminal");
    let terminal = Terminal {
        id,
        name: "村委会".to_owned(),
        position: None,
        public_key: None,
        enrolled_at: None,
        retired_at: None,
        is_speaking: true,
        version: 1,
    };
    store::terminals::insert(tx, &terminal).await.expect("planned");
    let password = store::terminals::PasswordVerifiers {
        digest: protocols::digest::Digest([0; 32]),
        mosquitto: String::new(),
        nats: String::new(),
    };
    store::terminals::enrol(tx, id, &[number as u8; 32], &password, NOW).await.expect("enrolled");
}

/// A person with this role in this region and a second factor just shown.
fn person(number: u128, role: Role, region: &str) -> Actor {
    Actor {
        id: ActorId::Account(Uuid::from_u128(number)),
        name: format!("person {number}"),
        grants: vec![Grant { role, region: code(region) }],
        stepped_up_at: Some(NOW),
    }
}

fn author() -> Actor {
    person(1, Role::Composer, CITY)
}

fn approver(number: u128) -> Actor {
    person(number, Role::Commander, CITY)
}

fn content(color: Option<AlertColor>, regions: &[&str]) -> AlertContent {
    let text = |language: &str, words: [&str; 3]| AlertText {
        language: language.to_owned(),
        headline: words[0].to_owned(),
        description: words[1].to_owned(),
        instruction: words[2].to_owned(),
    };
    AlertContent {
        kind: BroadcastKind::Actual,
        color,
        event: "11B01".parse().ok(),
        is_move_out: false,
        texts: vec![
            text("zh-CN", ["台风预警", "台风今晚登陆。", "请留在室内。"]),
            text("en", ["Typhoon warning", "It lands tonight.", "Stay indoors."]),
        ],
        area: RequestedArea {
            regions: regions.iter().map(|region| code(region)).collect(),
            ..RequestedArea::default()
        },
        expires_at: Some(NOW + SignedDuration::from_hours(3)),
        repeats: REPEATS_DEFAULT,
        play_at: None,
        wants_out_of_area: false,
        drill: None,
        is_minor: false,
    }
}

impl City {
    async fn draft(&self, region: &str, content: AlertContent) -> Alert {
        let mut tx = self.app.db.begin().await.expect("begun");
        let alert = draft::create(&mut tx, &self.app, &author(), code(region), content).await;
        tx.commit().await.expect("committed");
        alert.expect("drafted")
    }

    async fn submit(&self, id: &str) -> Result<Alert, AlertError> {
        let mut tx = self.app.db.begin().await?;
        let alert = approval::submit(&mut tx, &self.app, &author(), id).await?;
        tx.commit().await?;
        Ok(alert)
    }

    async fn approve(&self, id: &str, by: &Actor) -> Result<Alert, AlertError> {
        let mut tx = self.app.db.begin().await?;
        let shown = super::load(&mut tx, by, id).await?.content_digest();
        let alert = approval::approve(&mut tx, &self.app, by, id, shown, "read and right").await?;
        tx.commit().await?;
        Ok(alert)
    }

    async fn issue(&self, id: &str) -> Result<Alert, AlertError> {
        let mut tx = self.app.db.begin().await?;
        let alert = issue::issue(&mut tx, &self.app, &author(), id).await?;
        tx.commit().await?;
        Ok(alert)
    }

    /// A yellow alert for one town, in force.
    async fn issued(&self) -> Alert {
        let alert = self.draft(TOWN, content(Some(AlertColor::Yellow), &[TOWN])).await;
        self.submit(&alert.id).await.expect("submitted");
        self.issue(&alert.id).await.expect("issued")
    }

    /// The orders of an alert as a terminal reads them, with whether they ended.
    async fn orders(&self, alert: &str) -> Vec<(Order, bool)> {
        let mut read = self.app.db.read().await.expect("a connection");
        let rows: Vec<(Vec<u8>, Option<i64>)> = sqlx::query_as(
            "select sealed, ended_at from orders where alert = $1 order by topic, number",
        )
        .bind(alert)
        .fetch_all(&mut *read)
        .await
        .expect("read");
        let roots = Roots::new([self.root.verifying_key()]);
        rows.into_iter()
            .map(|(sealed, ended_at)| {
                let max = limits::ORDER_BYTES_MAX;
                let opened =
                    open::<Order>(&sealed, max, MessageType::Order, &roots, &[], Some(NOW));
                let order = opened.expect("a terminal believes it").message;
                order.validate().expect("well-formed");
                (order, ended_at.is_some())
            })
            .collect()
    }
}
