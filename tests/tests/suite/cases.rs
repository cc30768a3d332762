//! One running city a database, and the cases that are played on it one after the other.

use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::{Value, json};
use tests::harness::api::{Api, Reply};
use tests::harness::city::{CITY, City, CityOptions, text};
use tests::harness::clock;
use tests::harness::postgres::Postgres;
use tests::harness::village::Village;

/// A village of 灌口镇 that has a terminal.
pub(crate) const VILLAGE: &str = "350211102201";

/// Its town.
pub(crate) const TOWN: &str = "350211102000";

/// The people at the API.
pub(crate) struct Rig {
    pub(crate) city: City,
    pub(crate) composer: Api,
    pub(crate) approver: Api,
    pub(crate) commander: Api,
    /// A composer of another district.
    pub(crate) stranger: Api,
    /// A viewer of the whole city.
    pub(crate) viewer: Api,
    pub(crate) token: String,
    pub(crate) folder: PathBuf,
}

impl Rig {
    async fn build(folder: PathBuf, database_url: Option<String>) -> anyhow::Result<Self> {
        let options = CityOptions { database_url, broker_url: None };
        let mut city = City::prepare(&folder, &options)?;
        let officers = [
            city.officer("composer", "composer", CITY)?,
            city.officer("approver", "approver", CITY)?,
            city.officer("commander", "commander", CITY)?,
            city.officer("stranger", "composer", "350206000000")?,
            city.officer("viewer", "viewer", CITY)?,
            city.officer("admin", "admin", CITY)?,
        ];
        city.start().await?;
        // Two terminals: an area without any is refused.
        for village in [VILLAGE, "350212105201"] {
            let code = city.enrolment_code(village, None)?;
            Village::enrol(&folder.join(village), village, &code)?;
        }
        let mut people = Vec::new();
        for officer in &officers {
            people.push(city.log_in(officer).await.with_context(|| officer.name.clone())?);
        }
        let [composer, approver, commander, stranger, viewer, admin] =
            <[Api; 6]>::try_from(people).map_err(|_| anyhow::anyhow!("six officers"))?;
        let wanted = json!({
            "name": "气象台",
            "region": CITY,
            "scope": "cap:submit",
            "expires_at": clock::now().checked_add(jiff::SignedDuration::from_hours(24))?,
        });
        let token = admin.post("/api/v1/tokens", &wanted).await?;
        let token = text(&token, "secret")?.to_owned();
        Ok(Self { city, composer, approver, commander, stranger, viewer, token, folder })
    }
}

/// A content that one officer may issue for one town.
pub(crate) fn content(color: &str, region: &str) -> Value {
    json!({
        "kind": "actual",
        "color": color,
        "event": "11B03",
        "texts": [{
            "language": "zh-CN",
            "headline": "暴雨预警",
            "description": "今晚有暴雨",
            "instruction": "请留在室内",
        }],
        "area": { "regions": [region] },
    })
}

/// Fails unless the reply is this status and this problem, in both languages.
pub(crate) fn expect_problem(reply: &Reply, status: u16, what: &str) -> anyhow::Result<()> {
    anyhow::ensure!(
        reply.status.as_u16() == status,
        "{what}: expected {status}, came {}: {}",
        reply.status,
        String::from_utf8_lossy(&reply.bytes)
    );
    let is_problem = reply.content_type.as_deref() == Some("application/problem+json");
    anyhow::ensure!(is_problem, "{what}: no problem document but {:?}", reply.content_type);
    let detail_zh = reply.body["detail_zh"].as_str().unwrap_or_default();
    anyhow::ensure!(detail_zh.chars().any(|c| c > '\u{4e00}'), "{what}: no Chinese detail");
    anyhow::ensure!(
        !reply.body["detail"].as_str().unwrap_or_default().is_empty(),
        "{what}: no detail"
    );
    Ok(())
}

async fn play(folder: PathBuf, database_url: Option<String>) -> anyhow::Result<()> {
    let mut rig = Rig::build(folder, database_url).await?;
    crate::service::answers_health_metrics_and_documents(&rig).await.context("service")?;
    crate::service::names_a_refusal_by_the_trace_of_its_caller(&mut rig).await.context("trace")?;
    crate::service::shows_with_a_terminal_how_it_is(&rig).await.context("terminals")?;
    crate::service::tells_events_again_from_where_a_reader_left(&rig).await.context("events")?;
    crate::authority::holds_for_every_operation(&rig).await.context("authority")?;
    crate::alerts::one_officer_issues_blue_in_one_town(&rig).await.context("one officer")?;
    crate::alerts::red_takes_an_approver_who_is_no_author(&rig).await.context("two persons")?;
    crate::alerts::two_districts_take_two_approvers(&rig).await.context("three persons")?;
    crate::alerts::an_edit_voids_approvals(&rig).await.context("edit")?;
    crate::alerts::the_same_request_twice_is_one(&rig).await.context("idempotency")?;
    crate::alerts::bad_content_names_field_rule_and_reason(&rig).await.context("bad content")?;
    crate::alerts::hostile_bodies_are_refused_by_name_and_leave_nothing(&rig)
        .await
        .context("hostile bodies")?;
    crate::alerts::an_override_acts_at_once_and_waits_for_its_countersign(&rig)
        .await
        .context("override")?;
    crate::alerts::three_ends_have_three_texts(&rig).await.context("ends")?;
    crate::cap::a_message_becomes_a_draft_and_its_twin_is_known(&rig).await.context("cap")?;
    crate::cap::a_hostile_or_unplaced_message_is_refused_aloud(&rig)
        .await
        .context("cap refused")?;
    crate::cap::a_code_of_two_meanings_is_asked(&rig).await.context("cap asked")?;
    crate::service::survives_the_plug(&mut rig).await.context("plug")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_keeps_its_word_on_sqlite() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    play(folder.path().to_owned(), None).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_keeps_its_word_on_postgresql() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Postgres::start(folder.path()).await?;
    play(folder.path().to_owned(), Some(server.database("city")?)).await
}
