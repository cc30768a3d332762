//! `GET /alerts/{id}/preview`: who would hear it, who would stay silent.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use protocols::digest::Digest;
use protocols::region::RegionCode;
use protocols::terminal::TerminalId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::alerts::{self, preview};
use crate::context::App;
use crate::domain::actor::Actor;
use crate::domain::alert::persons::PersonsNeeded;
use crate::domain::fault::Fault;
use crate::http::answer;
use crate::http::parameters::PathOf;
use crate::http::problem::{Problem, ProblemBody};

/// What an officer sees before pressing.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PreviewBody {
    /// What an approval names.
    #[schema(value_type = String)]
    digest: Digest,
    /// The persons that it takes.
    needed: PersonsNeeded,
    /// Terminals meant.
    terminals: usize,
    /// Terminals that would stay silent as far as is known now.
    silent: usize,
    /// By village.
    villages: Vec<VillageBody>,
    /// The silent ones by name, 200 at most.
    silent_terminals: Vec<SilentBody>,
    /// Regions on whose topics an order is published.
    #[schema(value_type = Vec<String>)]
    topics: Vec<RegionCode>,
    /// What one should know although it is not refused.
    warnings: Vec<Fault>,
    /// When it would expire if it were issued now.
    #[schema(value_type = String)]
    expires_at: Timestamp,
    /// The words as they would be spoken.
    spoken: Vec<SpokenBody>,
}

/// A village.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VillageBody {
    /// Its code.
    #[schema(value_type = String)]
    region: RegionCode,
    /// Terminals meant.
    terminals: usize,
    /// Of which silent.
    silent: usize,
}

/// A terminal that would stay silent.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SilentBody {
    /// Which.
    #[schema(value_type = String)]
    terminal: TerminalId,
    /// `lost`, or `unknown` when it was never heard.
    liveness: &'static str,
    /// When it was last heard.
    #[schema(value_type = Option<String>)]
    last_seen_at: Option<Timestamp>,
}

/// The words in one language.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SpokenBody {
    /// BCP 47 tag.
    language: String,
    /// As spoken.
    text: String,
    /// Bytes, of 1,200.
    bytes: usize,
}

/// Who would hear the alert as it stands now. Whatever would refuse its submit refuses this too:
/// an empty target first of all.
#[utoipa::path(
    get, path = "/alerts/{id}/preview", tag = "alerts",
    params(("id" = String, Path, description = "The alert")),
    responses(
        (status = 200, description = "Who would hear it", body = PreviewBody),
        (status = 404, description = "No such alert", body = ProblemBody),
        (status = 422, description = "It could not be submitted", body = ProblemBody),
    ),
    extensions(("x-action" = json!("read_alerts")))
)]
pub(super) async fn preview_alert(
    State(app): State<Arc<App>>,
    actor: Actor,
    PathOf(id): PathOf<String>,
) -> Result<Response, Problem> {
    let mut connection = app.db.read().await?;
    let alert = alerts::load(&mut connection, &actor, &id).await?;
    let preview = preview::preview(&mut connection, &app, &alert).await?;
    let villages = preview.villages.iter().map(|(region, count)| VillageBody {
        region: *region,
        terminals: count.targeted,
        silent: count.silent,
    });
    let silent = preview.silent.iter().map(|silent| SilentBody {
        terminal: silent.terminal,
        liveness: silent.liveness.as_str(),
        last_seen_at: silent.last_seen_at,
    });
    let spoken = preview.spoken.into_iter().map(|(language, text)| SpokenBody {
        language,
        bytes: text.len(),
        text,
    });
    Ok(answer::ok(&PreviewBody {
        digest: preview.digest,
        needed: preview.needed,
        terminals: preview.terminals,
        silent: preview.silent_count,
        villages: villages.collect(),
        silent_terminals: silent.collect(),
        topics: preview.topics,
        warnings: preview.warnings,
        expires_at: preview.expires_at,
        spoken: spoken.collect(),
    }))
}
