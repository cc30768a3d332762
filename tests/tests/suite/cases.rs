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

/// Another town of the same district, with a terminal of its own.
pub(crate) const NEIGHBOUR_TOWN: &str = "350211103000";

/// A token of a machine, as its holder and as the record knows it.
pub(crate) struct Token {
    pub(crate) secret: String,
    /// `token:<id>`.
    pub(crate) actor: String,
}

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
    /// The meteorological service.
    pub(crate) token: Token,
    /// Another machine with the same scope.
    pub(crate) other_token: Token,
    pub(crate) folder: PathBuf,
}

impl Rig {
    async fn build(folder: PathBuf, database_url: Option<String>) -> anyhow::Result<Self> {
        let options = CityOptions { database_url, ..CityOptions::default() };
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
        // One terminal a town: an area without any is refused.
        for village in [VILLAGE, "350212105201", "350211103003"] {
            let code = city.enrolment_code(village, None)?;
            Village::enrol(&folder.join(village), village, &code)?;
        }
        let mut people = Vec::new();
        for officer in &officers {
            people.push(city.log_in(officer).await.with_context(|| officer.name.clone())?);
        }
        let [composer, approver, commander, stranger, viewer, admin] =
            <[Api; 6]>::try_from(people).map_err(|_| anyhow::anyhow!("six officers"))?;
        let token = token_of(&admin, "气象台").await?;
        let other_token = token_of(&admin, "水文站").await?;
        Ok(Self {
            city,
            composer,
            approver,
            commander,
            stranger,
            viewer,
            token,
            other_token,
            folder,
        })
    }

    /// The meteorological service at the API.
    pub(crate) fn service(&self) -> anyhow::Result<Api> {
        Ok(self.city.anonymous()?.bearing(&self.token.secret))
    }
}

async fn token_of(admin: &Api, name: &str) -> anyhow::Result<Token> {
    let wanted = json!({
        "name": name,
        "region": CITY,
        "scope": "cap:submit",
        "expires_at": clock::now().checked_add(jiff::SignedDuration::from_hours(24))?,
    });
    let made = admin.post("/api/v1/tokens", &wanted).await?;
    let actor = format!("token:{}", text(&made, "id")?);
    Ok(Token { secret: text(&made, "secret")?.to_owned(), actor })
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

/// Plays one case after the other on `rig` and keeps what failed: one fault does not hide the next.
macro_rules! play {
    ($failures:expr, $rig:expr, $($module:ident :: $case:ident,)*) => {
        $(if let Err(error) = crate::$module::$case($rig).await {
            $failures.push(format!("{}::{}: {error:#}", stringify!($module), stringify!($case)));
        })*
    };
}

async fn play(folder: PathBuf, database_url: Option<String>) -> anyhow::Result<()> {
    let mut rig = Rig::build(folder, database_url).await?;
    let mut failures = Vec::new();
    play!(
        failures,
        &rig,
        service::answers_health_metrics_and_documents,
        service::shows_with_a_terminal_how_it_is,
        service::tells_events_again_from_where_a_reader_left,
        authority::holds_for_every_operation,
        alerts::one_officer_issues_blue_in_one_town,
        alerts::red_takes_an_approver_who_is_no_author,
        alerts::two_districts_take_two_approvers,
        alerts::an_edit_voids_approvals,
        alerts::the_same_request_twice_is_one,
        alerts::bad_content_names_field_rule_and_reason,
        alerts::hostile_bodies_are_refused_by_name_and_leave_nothing,
        alerts::an_override_acts_at_once_and_waits_for_its_countersign,
        alerts::three_ends_have_three_texts,
        targets::a_preview_names_who_would_stay_silent,
        targets::nobody_is_never_everybody,
        targets::no_pseudo_unit_is_a_target,
        cap::a_message_becomes_a_draft_and_its_twin_is_known,
        cap::a_hostile_or_unplaced_message_is_refused_aloud,
        stops::who_may_not_stops_nothing,
        stops::a_region_is_stopped_once_and_lifted_once,
        rules::a_rule_without_a_limit_or_from_the_wrong_hand_is_refused,
        rules::each_limit_alone_keeps_an_alert_from_issuing_itself,
        rules::after_its_date_a_rule_issues_nothing,
        swap::a_code_is_issued_to_the_town_of_its_list_and_never_without_one,
        emergency::is_countersigned_with_and_without_a_body,
        emergency::not_countersigned_it_stands_as_a_breach_and_the_alert_goes_on,
        requests::an_edit_names_the_version_it_was_made_from,
        requests::pages_follow_each_other_without_gap_or_repeat,
        clips::are_given_whole_in_part_or_not_at_all,
        events::another_district_sees_nothing_of_it,
        events::a_gap_is_said_and_never_passed_over,
    );
    play!(
        failures,
        &mut rig,
        service::names_a_refusal_by_the_trace_of_its_caller,
        events::a_reader_goes_on_where_it_was_after_a_pulled_plug,
        requests::a_key_keeps_its_answer_over_a_pulled_plug,
        service::survives_the_plug,
    );
    anyhow::ensure!(failures.is_empty(), "{}", failures.join("\n"));
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
