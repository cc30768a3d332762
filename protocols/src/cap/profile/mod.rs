//! What a CAP message means to us: colour, hazard, places, words, and what a person must be asked
//! before it can be issued. Pure reading; whether a region exists and who may issue is decided
//! elsewhere.

mod compose;
mod names;
mod places;
mod words;

use jiff::{SignedDuration, Timestamp};

pub use compose::{Composition, Place, compose};
pub use names::{
    AreaCode, AreaScheme, EVENT_CODE_NAME, GEOCODE_NBS, PARAMETER_CLOSURE, PARAMETER_COLOR,
    PARAMETER_MINOR_CHANGE, read_geocode,
};
pub use places::AreaMeaning;
pub use words::Words;

use super::model::{Alert, Info, NamedValue, Reference};
use super::vocabulary::{MsgType, ResponseType, Status, Urgency};
use crate::alert::{AlertColor, BroadcastKind, EventCode};
use crate::limits::EXPIRY_DEFAULT_H;
use crate::order::Purpose;

/// What a person must be asked, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Which part: `color`, `event`, `purpose`, `areas`, `words`, `effective`.
    pub field: &'static str,
    /// The reason for the officer.
    pub why_zh: String,
    /// The same in English.
    pub why_en: String,
}

impl Asked {
    fn new(field: &'static str, why_zh: impl Into<String>, why_en: impl Into<String>) -> Self {
        Self { field, why_zh: why_zh.into(), why_en: why_en.into() }
    }
}

/// The meaning of one message.
#[derive(Debug, Clone, PartialEq)]
pub struct Meaning {
    /// What it is broadcast as; `None` for System and Draft, which never sound.
    pub kind: Option<BroadcastKind>,
    /// What it does to earlier ones; `None` for an acknowledgement or an error, and where a person
    /// is asked.
    pub purpose: Option<Purpose>,
    /// The colour; `None` for a notice without one, and where a person is asked.
    pub color: Option<AlertColor>,
    /// The hazard; `None` where a person is asked.
    pub event: Option<EventCode>,
    /// 避险转移: people are told to leave (`responseType` Evacuate).
    pub is_move_out: bool,
    /// Earlier messages.
    pub references: Vec<Reference>,
    /// Where, each place once.
    pub areas: Vec<AreaMeaning>,
    /// What is said, by language in document order.
    pub words: Vec<Words>,
    /// Languages beyond [`crate::limits::LANGUAGES_MAX`], which are not spoken.
    pub languages_left_out: Vec<String>,
    /// The latest expiry of all infos, or the assumed one.
    pub expires_at: Timestamp,
    /// No info has an expiry: [`EXPIRY_DEFAULT_H`] hours from `sent` are assumed.
    pub is_expiry_assumed: bool,
    /// What stands open. Empty: it can be issued as it is.
    pub asked: Vec<Asked>,
}

/// Reads the meaning of a message.
pub fn understand(alert: &Alert) -> Meaning {
    let mut asked = Vec::new();
    let purpose = purpose(alert, &mut asked);
    let is_closing = purpose.is_some_and(Purpose::is_closing);
    // What ends an alert has that alert's colour, hazard, place and prepared words: its own may
    // be missing, as in a Cancel without any info.
    let mut unneeded = Vec::new();
    let needed =
        if is_closing || alert.msg_type == MsgType::Cancel { &mut unneeded } else { &mut asked };
    let color = color(&alert.infos, needed);
    let event = event(&alert.infos, needed);
    let areas = places::areas(&alert.infos, needed);
    let (words, languages_left_out) = words::words(&alert.infos, needed);
    effective(alert, needed);
    let is_move_out = |info: &Info| info.response_types.contains(&ResponseType::Evacuate);
    let expires = alert.infos.iter().filter_map(|info| info.expires).max();
    let assumed = alert.sent.saturating_add(SignedDuration::from_hours(EXPIRY_DEFAULT_H));
    Meaning {
        kind: kind(alert),
        purpose,
        color,
        event,
        is_move_out: !is_closing && alert.infos.iter().any(is_move_out),
        references: alert.references.clone(),
        areas,
        words,
        languages_left_out,
        expires_at: expires.or(assumed.ok()).unwrap_or(alert.sent),
        is_expiry_assumed: expires.is_none(),
        asked,
    }
}

/// A status of Actual with the event code of a test is a test: real services send their weekly
/// tests so.
fn kind(alert: &Alert) -> Option<BroadcastKind> {
    let is_test = alert.infos.iter().flat_map(|info| &info.event_codes).any(names::is_test_code);
    match alert.status {
        Status::Actual if is_test => Some(BroadcastKind::Test),
        Status::Actual => Some(BroadcastKind::Actual),
        Status::Exercise => Some(BroadcastKind::Exercise),
        Status::Test => Some(BroadcastKind::Test),
        Status::System | Status::Draft => None,
    }
}

fn purpose(alert: &Alert, asked: &mut Vec<Asked>) -> Option<Purpose> {
    match alert.msg_type {
        MsgType::Alert => Some(Purpose::Alert),
        MsgType::Update => update_purpose(alert, asked),
        MsgType::Cancel => {
            let closure = closure(alert);
            if closure.is_none() {
                asked.push(Asked::new(
                    "purpose",
                    "未说明是解除（危险过去）还是撤销（误发）",
                    "it is not said whether the danger is over or the alert was issued in error",
                ));
            }
            closure
        }
        MsgType::Ack | MsgType::Error => None,
    }
}

/// Several services end a warning by an Update: all clear, urgency past. Only what says all clear
/// everywhere is taken for it; what merely says past may be news about a past event.
fn update_purpose(alert: &Alert, asked: &mut Vec<Asked>) -> Option<Purpose> {
    let is_clear = |info: &Info| info.response_types.contains(&ResponseType::AllClear);
    let is_past = |info: &Info| info.urgency == Urgency::Past;
    if !alert.infos.is_empty() && alert.infos.iter().all(is_clear) {
        return Some(Purpose::Lifted);
    }
    if alert.infos.iter().any(|info| is_clear(info) || is_past(info)) {
        asked.push(Asked::new(
            "purpose",
            "更新信息的部分内容表明危险已过，请确认是更新还是解除",
            "parts of the update say that the danger is past: is it an update or the end?",
        ));
        return None;
    }
    let is_minor = parameters(&alert.infos).any(names::is_minor_change);
    Some(if is_minor { Purpose::MinorUpdate } else { Purpose::Update })
}

/// How a Cancel ends its alert: the parameter says so, else the words of `note` and headline. A
/// wrong guess would tell people of a false alarm that the danger is over, or the reverse, so
/// nothing is assumed.
fn closure(alert: &Alert) -> Option<Purpose> {
    let stated = parameters(&alert.infos).find(|p| p.name.trim() == PARAMETER_CLOSURE);
    if let Some(parameter) = stated {
        return match parameter.value.trim() {
            "lifted" => Some(Purpose::Lifted),
            "withdrawn" => Some(Purpose::Withdrawn),
            _ => None,
        };
    }
    let headlines = alert.infos.iter().filter_map(|info| info.headline.as_deref());
    let text = alert.note.as_deref().into_iter().chain(headlines).collect::<Vec<_>>().join(" ");
    let is_lifted = text.contains("解除");
    let is_withdrawn = ["撤销", "误发", "撤回"].iter().any(|word| text.contains(word));
    match (is_lifted, is_withdrawn) {
        (true, false) => Some(Purpose::Lifted),
        (false, true) => Some(Purpose::Withdrawn),
        (true, true) | (false, false) => None,
    }
}

/// Minutes from `sent` to an `effective` that still means at once. Services round it up to the next
/// full hour.
const EFFECTIVE_LEAD_MAX_MIN: i64 = 60;

/// Words about tomorrow must not sound today by themselves.
fn effective(alert: &Alert, asked: &mut Vec<Asked>) {
    let lead = SignedDuration::from_mins(EFFECTIVE_LEAD_MAX_MIN);
    let is_later = |at: Timestamp| at.duration_since(alert.sent) > lead;
    let later = alert.infos.iter().filter_map(|info| info.effective).find(|at| is_later(*at));
    if let Some(at) = later {
        asked.push(Asked::new(
            "effective",
            format!("{at} 才生效，请确认何时播发"),
            format!("it takes effect at {at}: when shall it sound?"),
        ));
    }
}

fn color(infos: &[Info], asked: &mut Vec<Asked>) -> Option<AlertColor> {
    let mut stated = Vec::new();
    for parameter in parameters(infos).filter(|p| names::is_color_name(&p.name)) {
        let Ok(color) = names::read_color(&parameter.value) else {
            asked.push(Asked::new(
                "color",
                format!("不认识的预警颜色：{}", parameter.value.trim()),
                format!("not a colour: {}", parameter.value.trim()),
            ));
            return None;
        };
        stated.push(color);
    }
    if let Some(first) = stated.first() {
        if stated.iter().all(|color| color == first) {
            return *first;
        }
        asked.push(Asked::new("color", "各处写明的颜色不同", "different colours are stated"));
        return None;
    }
    let colors =
        infos.iter().map(|info| names::color_of(info.severity)).collect::<Option<Vec<_>>>();
    let color = colors.and_then(|colors| colors.into_iter().max());
    if color.is_none() {
        asked.push(Asked::new(
            "color",
            "没有写明颜色，severity 为 Unknown",
            "no colour is stated and the severity is unknown",
        ));
    }
    color
}

fn event(infos: &[Info], asked: &mut Vec<Asked>) -> Option<EventCode> {
    let codes = infos.iter().flat_map(|info| &info.event_codes);
    let mut events = codes.filter_map(names::read_event_code).collect::<Vec<_>>();
    events.sort_unstable();
    events.dedup();
    if let [event] = events[..] {
        return Some(event);
    }
    let what = infos.first().map_or("", |info| info.event.trim());
    asked.push(if events.is_empty() {
        Asked::new(
            "event",
            format!("没有 GB/T 35561 事件代码（event：{what}）"),
            format!("no event code of GB/T 35561 (event: {what})"),
        )
    } else {
        Asked::new("event", "有多个不同的事件代码", "there are several different event codes")
    });
    None
}

fn parameters(infos: &[Info]) -> impl Iterator<Item = &NamedValue> {
    infos.iter().flat_map(|info| &info.parameters)
}
