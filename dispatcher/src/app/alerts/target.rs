//! Resolves an alert's area against regions and terminals: who is meant, on which topics, and how
//! many persons that takes.

use std::sync::Arc;

use protocols::region::RegionCode;

use super::orders::{self, Plan};
use super::{AlertError, approval};
use crate::app::places::Places;
use crate::context::App;
use crate::domain::alert::lifecycle::Lifecycle;
use crate::domain::alert::persons::{PersonsNeeded, Reach};
use crate::domain::alert::record::Alert;
use crate::domain::fault::Fault;
use crate::domain::targeting::{Resolution, TargetFault, resolve};
use crate::store::{self, Conn};

/// An alert's area, resolved.
#[derive(Debug)]
pub struct Resolved {
    /// Orders to come and the terminals they mean.
    pub resolution: Resolution,
    /// The regions that it reaches: listed ones, the topics of its shapes, and those of the alert
    /// whose place it takes.
    pub reaches: Vec<RegionCode>,
    /// The persons that it takes.
    pub needed: PersonsNeeded,
    /// Regions and terminals that it was resolved against.
    pub places: Arc<Places>,
}

impl Resolved {
    /// The smallest single region that holds everything it reaches.
    pub fn common(&self) -> Option<RegionCode> {
        let reaches = self.reaches.iter().copied().map(Some);
        reaches.reduce(|held, region| held?.common(region?)).flatten()
    }
}

/// Resolves the area of `alert`, which follows `predecessors` other members of its chain.
pub async fn resolve_for(
    connection: &mut Conn,
    app: &App,
    alert: &Alert,
    predecessors: usize,
) -> Result<Resolved, AlertError> {
    let places = app.places.current(connection).await?;
    let members =
        if predecessors == 0 { Vec::new() } else { approval::members(connection, alert).await? };
    let room = orders::room(app, &Plan::rehearsal(app, alert, &members));
    let resolution = resolve(&alert.content.area, alert.region, places.table(), room)
        .map_err(|fault| AlertError::Faults(vec![as_fault(&fault)]))?;
    let topics = resolution.orders.iter().map(|order| order.topic);
    let listed = alert.content.area.regions.iter().copied();
    let mut reaches = topics.chain(listed).collect::<Vec<_>>();
    // Who was warned before falls silent with an update: it reaches them too, and takes as many
    // persons as what it takes the place of.
    let live = members.iter().find(|member| matches!(member.lifecycle, Lifecycle::Issued(_)));
    if let Some(live) = live {
        let orders = store::orders::of_alert(connection, &live.id).await?;
        let meant = orders.iter().filter(|order| !order.target.excluded.contains(&order.topic));
        reaches.extend(meant.map(|order| order.topic));
    }
    reaches.sort_unstable();
    reaches.dedup();
    let reach = Reach::of(reaches.iter().copied());
    let own = PersonsNeeded::of(&alert.content, reach);
    let needed = live.map_or(own, |live| own.max(PersonsNeeded::of(&live.content, reach)));
    Ok(Resolved { resolution, reaches, needed, places })
}

/// A refusal of the area as a fault of the content.
pub fn as_fault(fault: &TargetFault) -> Fault {
    let field = fault.field.replace('[', "/").replace(']', "");
    let pointer = if field == "area" { "/area".to_owned() } else { format!("/area/{field}") };
    Fault::new(pointer, fault.slug(), fault.zh(), fault.en())
}
