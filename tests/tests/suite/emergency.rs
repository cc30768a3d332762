//! The emergency override and its countersign: given in time, in either form, or missed.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use tests::harness::city::text;
use tests::harness::listener::Listener;

use crate::cases::{Rig, TOWN, content, expect_problem};
use crate::database::Database;

/// A missed countersign is announced by the next sweep.
const SWEEP_DEADLINE: Duration = Duration::from_secs(30);

const MICROSECONDS_OF_31_MINUTES: i64 = 31 * 60 * 1_000_000;

async fn overridden(rig: &Rig) -> anyhow::Result<String> {
    let body = json!({ "region": TOWN, "content": content("red", TOWN) });
    let made = rig.composer.post("/api/v1/alerts", &body).await?;
    let path = format!("/api/v1/alerts/{}", text(&made, "id")?);
    let reason = json!({ "reason": "山洪已到村口" });
    let issued = rig.composer.post(&format!("{path}/emergency"), &reason).await?;
    ensure!(issued["state"] == "issued", "{issued}");
    ensure!(issued["issued"]["emergency"]["is_breach"] == false, "{issued}");
    Ok(path)
}

pub(crate) async fn is_countersigned_with_and_without_a_body(rig: &Rig) -> anyhow::Result<()> {
    for body in [None, Some(json!({}))] {
        let path = overridden(rig).await?;
        let countersign = format!("{path}/countersign");
        let abroad = rig.stranger.send(Method::POST, &countersign, Some(&json!({}))).await?;
        let is_refused = [403, 404].contains(&abroad.status.as_u16());
        ensure!(is_refused, "a stranger countersigned: {}", abroad.status);
        let json_type = [("content-type", "application/json")];
        let path = format!("{path}/countersign");
        let reply = rig.commander.send_with(Method::POST, &path, body.as_ref(), &json_type).await?;
        ensure!(reply.status == 200, "{body:?}: {} {}", reply.status, reply.body);
        let emergency = &reply.body["issued"]["emergency"];
        ensure!(emergency["countersigned_by"].is_string(), "{emergency}");
        ensure!(emergency["is_late"] == false && emergency["is_breach"] == false, "{emergency}");
        let twice = rig.approver.send(Method::POST, &countersign, Some(&json!({}))).await?;
        expect_problem(&twice, 409, "countersigned twice")?;
    }
    Ok(())
}

pub(crate) async fn not_countersigned_it_stands_as_a_breach_and_the_alert_goes_on(
    rig: &Rig,
) -> anyhow::Result<()> {
    let mut listener = Listener::open(&rig.viewer, None).await?;
    let path = overridden(rig).await?;
    let alert = path.rsplit('/').next().context("an id")?.to_owned();
    half_an_hour_passes(rig, &alert).await?;
    let told = listener
        .until("the missed countersign", SWEEP_DEADLINE, |told| {
            told.kind() == "countersign_missed" && told.topic == "attention"
        })
        .await?;
    ensure!(told.data["alert"] == alert, "{told:?}");
    let shown = rig.composer.get(&path).await?;
    ensure!(shown["issued"]["emergency"]["is_breach"] == true, "{shown}");
    ensure!(shown["state"] == "issued", "a breach never ends the alert: {shown}");
    let signed = rig.commander.post(&format!("{path}/countersign"), &json!({})).await?;
    let emergency = &signed["issued"]["emergency"];
    ensure!(emergency["is_late"] == true && emergency["is_breach"] == false, "{signed}");
    let audit = rig.commander.get("/api/v1/audit?limit=200").await?;
    ensure!(audit.to_string().contains("countersign_missed"), "the record keeps the breach");
    Ok(())
}

/// The dispatcher reads the machine's clock, so the due time moves instead: back, in both places
/// where the row keeps it.
async fn half_an_hour_passes(rig: &Rig, alert: &str) -> anyhow::Result<()> {
    let database = Database::open(&rig.city.database_url).await?;
    let select = format!("select lifecycle from alerts where id = '{alert}'");
    let mut lifecycle: Value = serde_json::from_str(&database.text(&select).await?)?;
    let due = due_at(&mut lifecycle).context("an emergency has a due time")?;
    let earlier = due.as_i64().context("microseconds")? - MICROSECONDS_OF_31_MINUTES;
    *due = json!(earlier);
    let update = format!(
        "update alerts set lifecycle = '{lifecycle}', countersign_due_at = {earlier} \
         where id = '{alert}'"
    );
    database.run(&update).await
}

fn due_at(value: &mut Value) -> Option<&mut Value> {
    let object = value.as_object_mut()?;
    if object.contains_key("due_at") {
        return object.get_mut("due_at");
    }
    object.values_mut().find_map(due_at)
}
