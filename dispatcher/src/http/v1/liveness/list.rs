//! `GET /liveness`: terminals of a region with when they were last heard and how they are.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use protocols::region::RegionCode;
use serde::{Deserialize, Serialize};

use super::{LivenessState, VitalsBody};
use crate::context::App;
use crate::domain::actor::Actor;
use crate::domain::authority::Action;
use crate::domain::keys::due_from;
use crate::domain::liveness::Link;
use crate::http::answer;
use crate::http::page::{self, Items};
use crate::http::parameters::Parameters;
use crate::http::problem::Problem;
use crate::store::terminal_states::{self, Heard};

/// Which page of which region.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// The region; this dispatcher's when absent.
    #[param(value_type = Option<String>)]
    region: Option<RegionCode>,
    /// 1 to 200.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// How a terminal is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct LivenessBody {
    /// The terminal.
    terminal: String,
    /// `online`, `late`, `lost`, or `unknown` while the dispatcher itself is deaf.
    liveness: String,
    /// Since when it is late, lost or awaited; absent while it is online.
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// When it was last heard.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_seen_at: Option<Timestamp>,
    /// The broker's unsigned word that it is connected.
    is_connected_hint: bool,
    /// What it last said of itself.
    vitals: Option<VitalsBody>,
    /// What is wrong with it by that: `audio_absent`, `audio_stalled`, `clock_unsure`,
    /// `mains_lost`, `battery_low`, `disk_nearly_full`, `certificate_due`.
    faults: Vec<String>,
}

/// How the dispatcher's own certificate stands.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct CertificateBody {
    /// Its end.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// From when on it is to be renewed.
    #[schema(value_type = String, format = DateTime)]
    due_from: Timestamp,
    /// `good`, `due`, `not_valid` or `revoked`; with the last two nothing is signed.
    standing: String,
    /// Number of the newest revocation list; 0 for none.
    revocation_number: u64,
}

/// A page, with the state of the dispatcher's own link.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct LivenessPage {
    /// Since when the dispatcher hears its terminals; absent while it does not.
    #[schema(value_type = Option<String>, format = DateTime)]
    link_up_since: Option<Timestamp>,
    /// The dispatcher's own certificate.
    certificate: CertificateBody,
    /// The terminals.
    items: Vec<LivenessBody>,
    /// For the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Terminals of a region and how they are.
#[utoipa::path(
    get, path = "/liveness", tag = "terminals", params(ListQuery),
    responses((status = 200, description = "A page", body = LivenessPage)),
    extensions(("x-action" = json!("read_terminals")))
)]
pub(super) async fn list_liveness(
    State(app): State<Arc<App>>,
    actor: Actor,
    Parameters(query): Parameters<ListQuery>,
) -> Result<Response, Problem> {
    let region = query.region.unwrap_or_else(|| app.region());
    actor.may(Action::ReadTerminals, region, None, app.now())?;
    let filters = format!("region={region}");
    let page = page::page::<String>(query.limit, query.cursor.as_deref(), &filters)?;
    let after = page.after.clone().unwrap_or_default();
    let mut connection = app.db.read().await?;
    let rows =
        terminal_states::heard(&mut connection, &region.range(), &after, page.limit + 1).await?;
    let (now, link) = (app.now(), app.link.get());
    let bodies = rows.into_iter().map(|heard| body(now, link, heard)).collect();
    let Items { items, next_cursor } =
        page.items(bodies, |body: &LivenessBody| body.terminal.clone());
    let link_up_since = match link {
        Link::Down => None,
        Link::UpSince(since) => Some(since),
    };
    let own = app.signer.certificate();
    let certificate = CertificateBody {
        expires_at: own.not_after,
        due_from: due_from(&own),
        standing: app.signer.standing(now).as_str().to_owned(),
        revocation_number: app.signer.revoked().number,
    };
    Ok(answer::ok(&LivenessPage { link_up_since, certificate, items, next_cursor }))
}

fn body(now: Timestamp, link: Link, heard: Heard) -> LivenessBody {
    let terminal = heard.terminal.to_string();
    let state = LivenessState::of(now, link, heard);
    LivenessBody {
        terminal,
        liveness: state.state,
        since: state.since,
        last_seen_at: state.last_seen_at,
        is_connected_hint: state.is_connected_hint,
        vitals: state.vitals,
        faults: state.faults,
    }
}
