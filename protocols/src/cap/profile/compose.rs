//! The reverse: a CAP message out of what we issue.

use jiff::Timestamp;

use super::names::{color_word, severity_of};
use super::{
    EVENT_CODE_NAME, GEOCODE_NBS, PARAMETER_CLOSURE, PARAMETER_COLOR, PARAMETER_MINOR_CHANGE, Words,
};
use crate::alert::{AlertColor, AlertKey, BroadcastKind, EventCode};
use crate::cap::model::{Alert, Area, Circle, Info, NamedValue, Polygon, Reference};
use crate::cap::vocabulary::{Category, Certainty, MsgType, ResponseType, Scope, Status, Urgency};
use crate::order::Purpose;
use crate::region::RegionCode;

/// One place of an outgoing message.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Its name.
    pub name: String,
    /// Whole regions.
    pub regions: Vec<RegionCode>,
    /// Shapes.
    pub polygons: Vec<Polygon>,
    /// Circles.
    pub circles: Vec<Circle>,
}

/// What goes out, in our own terms.
#[derive(Debug, Clone, PartialEq)]
pub struct Composition<'a> {
    /// Identity; fractions of a second are cut.
    pub key: &'a AlertKey,
    /// Live talk and routine broadcasts are not alerts and go out as Actual.
    pub kind: BroadcastKind,
    /// What it does to earlier ones.
    pub purpose: Purpose,
    /// The earlier ones.
    pub references: &'a [AlertKey],
    /// Its colour; `None` for a notice.
    pub color: Option<AlertColor>,
    /// Its hazard.
    pub event: EventCode,
    /// 避险转移: people are told to leave.
    pub is_move_out: bool,
    /// The hazard's name.
    pub event_name: &'a str,
    /// When it ends; fractions of a second are cut.
    pub expires_at: Timestamp,
    /// The authority's name for people.
    pub sender_name: &'a str,
    /// What is said.
    pub words: &'a [Words],
    /// Where.
    pub places: &'a [Place],
}

/// The CAP message. Whether it can be written is for [`crate::cap::write`] to say.
pub fn compose(from: &Composition<'_>) -> Alert {
    let status = match from.kind {
        BroadcastKind::Exercise => Status::Exercise,
        BroadcastKind::Test => Status::Test,
        BroadcastKind::Actual | BroadcastKind::Routine | BroadcastKind::LiveTalk => Status::Actual,
    };
    let msg_type = match from.purpose {
        Purpose::Alert => MsgType::Alert,
        Purpose::Update | Purpose::MinorUpdate => MsgType::Update,
        Purpose::Lifted | Purpose::Withdrawn => MsgType::Cancel,
    };
    let references = from.references.iter().map(|key| Reference {
        sender: key.sender.clone(),
        identifier: key.identifier.clone(),
        sent: whole_second(key.sent),
    });
    Alert {
        identifier: from.key.identifier.clone(),
        sender: from.key.sender.clone(),
        sent: whole_second(from.key.sent),
        status,
        msg_type,
        source: None,
        scope: Scope::Public,
        restriction: None,
        addresses: None,
        codes: Vec::new(),
        note: None,
        references: references.collect(),
        incidents: None,
        infos: from.words.iter().map(|words| info(from, words)).collect(),
    }
}

fn info(from: &Composition<'_>, words: &Words) -> Info {
    let is_over = from.purpose.is_closing();
    let filled = |text: &str| (!text.trim().is_empty()).then(|| text.to_owned());
    Info {
        language: Some(words.language.clone()),
        categories: vec![category(from.event)],
        event: from.event_name.to_owned(),
        response_types: match (is_over, from.is_move_out) {
            (true, _) => vec![ResponseType::AllClear],
            (false, true) => vec![ResponseType::Evacuate],
            (false, false) => Vec::new(),
        },
        urgency: if is_over { Urgency::Past } else { Urgency::Immediate },
        severity: severity_of(from.color),
        certainty: if is_over { Certainty::Observed } else { Certainty::Likely },
        audience: None,
        event_codes: vec![named(EVENT_CODE_NAME, from.event.as_str())],
        effective: None,
        onset: None,
        expires: Some(whole_second(from.expires_at)),
        sender_name: filled(from.sender_name),
        headline: filled(&words.headline),
        description: filled(&words.description),
        instruction: filled(&words.instruction),
        web: None,
        contact: None,
        parameters: parameters(from),
        resources: Vec::new(),
        areas: from.places.iter().map(area).collect(),
    }
}

fn parameters(from: &Composition<'_>) -> Vec<NamedValue> {
    let mut parameters = vec![named(PARAMETER_COLOR, color_word(from.color))];
    match from.purpose {
        Purpose::Alert | Purpose::Update => {}
        Purpose::MinorUpdate => parameters.push(named(PARAMETER_MINOR_CHANGE, "true")),
        Purpose::Lifted => parameters.push(named(PARAMETER_CLOSURE, "lifted")),
        Purpose::Withdrawn => parameters.push(named(PARAMETER_CLOSURE, "withdrawn")),
    }
    parameters
}

fn area(place: &Place) -> Area {
    let codes = place.regions.iter().map(|region| named(GEOCODE_NBS, &region.to_string()));
    Area {
        description: place.name.clone(),
        polygons: place.polygons.clone(),
        circles: place.circles.clone(),
        geocodes: codes.collect(),
        altitude: None,
        ceiling: None,
    }
}

/// The category by the class of GB/T 35561.
fn category(event: EventCode) -> Category {
    let code = event.as_str();
    match code.get(..3) {
        Some("11A" | "11B") => Category::Met,
        Some("11C" | "11D" | "11E") => Category::Geo,
        Some("11F") => Category::Env,
        Some("11G") => Category::Fire,
        _ => match code.get(..2) {
            Some("11") => Category::Geo,
            Some("13") => Category::Health,
            Some("14") => Category::Security,
            Some("12") => Category::Safety,
            _ => Category::Other,
        },
    }
}

fn named(name: &str, value: &str) -> NamedValue {
    NamedValue { name: name.to_owned(), value: value.to_owned() }
}

fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
