//! A CAP message as types: what the standard has, no more. Optional text is `None` when absent or
//! empty; times are instants, since the offset is a matter of writing.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::vocabulary::{
    Category, Certainty, MsgType, ResponseType, Scope, Severity, Status, Urgency,
};
use crate::alert::AlertKey;

/// The language of an info that names none.
pub const LANGUAGE_DEFAULT: &str = "en-US";

/// `alert`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Unique for the sender; outer white space removed.
    pub identifier: String,
    /// Who says it; outer white space removed.
    pub sender: String,
    /// When it was said.
    pub sent: Timestamp,
    /// What it is for.
    pub status: Status,
    /// What it does to earlier ones.
    pub msg_type: MsgType,
    /// Operator or device.
    pub source: Option<String>,
    /// Who may read it.
    pub scope: Scope,
    /// The rule of a restricted one.
    pub restriction: Option<String>,
    /// The readers of a private one: separated by blanks, with quotes around those that hold some.
    pub addresses: Option<String>,
    /// Codes for special handling.
    pub codes: Vec<String>,
    /// Purpose of a drill, reason of a cancel or an error.
    pub note: Option<String>,
    /// Earlier messages.
    pub references: Vec<Reference>,
    /// Names of incidents, separated as in `addresses`.
    pub incidents: Option<String>,
    /// What is said, by language, place or urgency.
    pub infos: Vec<Info>,
}

impl Alert {
    /// What identifies it.
    pub fn key(&self) -> AlertKey {
        AlertKey {
            sender: self.sender.clone(),
            identifier: self.identifier.clone(),
            sent: self.sent,
        }
    }
}

/// One entry of `references`. Real feeds put a wrong time there: match sender and identifier, and
/// use the time between several candidates only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Reference {
    /// Its sender.
    pub sender: String,
    /// Its identifier.
    pub identifier: String,
    /// Its time, as far as one may believe it.
    pub sent: Timestamp,
}

/// `info`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Info {
    /// RFC 3066 tag; see [`Info::language`].
    pub language: Option<String>,
    /// At least one.
    pub categories: Vec<Category>,
    /// What happens.
    pub event: String,
    /// What people should do.
    pub response_types: Vec<ResponseType>,
    /// When to respond.
    pub urgency: Urgency,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub certainty: Certainty,
    /// For whom.
    pub audience: Option<String>,
    /// Codes of the event.
    pub event_codes: Vec<NamedValue>,
    /// From when the information holds.
    pub effective: Option<Timestamp>,
    /// When the event begins.
    pub onset: Option<Timestamp>,
    /// Until when the information holds.
    pub expires: Option<Timestamp>,
    /// The sender's name for people.
    pub sender_name: Option<String>,
    /// Headline.
    pub headline: Option<String>,
    /// What happens, at length.
    pub description: Option<String>,
    /// What to do.
    pub instruction: Option<String>,
    /// More about it.
    pub web: Option<String>,
    /// Whom to ask.
    pub contact: Option<String>,
    /// Whatever the parties agreed on.
    pub parameters: Vec<NamedValue>,
    /// Attached files.
    pub resources: Vec<Resource>,
    /// Where.
    pub areas: Vec<Area>,
}

impl Info {
    /// The language, by default as the standard says.
    pub fn language(&self) -> &str {
        self.language.as_deref().unwrap_or(LANGUAGE_DEFAULT)
    }
}

/// `valueName` and `value` of an event code, a parameter or a geocode.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NamedValue {
    /// Which list; may be empty in real messages.
    pub name: String,
    /// Which entry; may be empty in real messages.
    pub value: String,
}

/// `resource`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// What it is.
    pub description: String,
    /// Its media type; empty where CAP 1.1 left it out.
    pub mime_type: String,
    /// About how many bytes.
    pub size: Option<u64>,
    /// Where it is; relative ones name the content.
    pub uri: Option<String>,
    /// The content itself (`derefUri`, decoded).
    pub content: Option<Vec<u8>>,
    /// SHA-1 of the content, in hexadecimal.
    pub digest: Option<String>,
}

/// `area`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Area {
    /// In words.
    pub description: String,
    /// Shapes.
    pub polygons: Vec<Polygon>,
    /// Circles.
    pub circles: Vec<Circle>,
    /// Codes of places.
    pub geocodes: Vec<NamedValue>,
    /// From this height, in feet above mean sea level.
    pub altitude: Option<f64>,
    /// Up to this height, in feet.
    pub ceiling: Option<f64>,
}

/// A point in WGS 84, in degrees.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Point {
    /// −90 to 90.
    pub lat: f64,
    /// −180 to 180 (up to 360 in messages across the date line).
    pub lon: f64,
}

/// A closed ring; the first vertex is not repeated at the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Polygon {
    /// At least three in a sound message.
    pub vertices: Vec<Point>,
}

/// A circle.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Circle {
    /// Its centre.
    pub center: Point,
    /// Its radius in kilometres; 0 marks a point, such as an epicentre.
    pub radius_km: f64,
}
