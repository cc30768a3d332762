//! Messages that the writer should take, of every shape.

use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;
use protocols::cap::model::{
    Alert, Area, Circle, Info, NamedValue, Point, Polygon, Reference, Resource,
};
use protocols::cap::vocabulary::{
    Category, Certainty, MsgType, ResponseType, Scope, Severity, Status, Urgency,
};

/// Any message of CAP 1.2.
pub(crate) fn alert() -> impl Strategy<Value = Alert> {
    let head = (key(), key(), time(), select(Status::ALL), select(MsgType::ALL));
    let handling = (maybe(), select(Scope::ALL), maybe(), maybe(), few(text()), maybe(), maybe());
    (head, handling, few(reference()), few(info())).prop_map(
        |(head, handling, references, infos)| {
            let (identifier, sender, sent, status, msg_type) = head;
            let (source, scope, restriction, addresses, codes, note, incidents) = handling;
            Alert {
                identifier,
                sender,
                sent,
                status,
                msg_type,
                source,
                scope,
                restriction,
                addresses,
                codes,
                note,
                references,
                incidents,
                infos,
            }
        },
    )
}

fn info() -> impl Strategy<Value = Info> {
    let language = proptest::option::of("[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8}){0,2}");
    let kind = (
        language,
        proptest::collection::vec(select(Category::ALL), 1..4),
        text(),
        few(select(ResponseType::ALL)),
        select(Urgency::ALL),
        select(Severity::ALL),
        select(Certainty::ALL),
    );
    let times = (maybe_time(), maybe_time(), maybe_time());
    let words = (maybe(), maybe(), maybe(), maybe(), maybe(), uri(), maybe());
    let parts = (few(named()), few(named()), few(resource()), few(area()));
    (kind, times, words, parts).prop_map(|(kind, times, words, parts)| {
        let (language, categories, event, response_types, urgency, severity, certainty) = kind;
        let (effective, onset, expires) = times;
        let (audience, sender_name, headline, description, instruction, web, contact) = words;
        let (event_codes, parameters, resources, areas) = parts;
        Info {
            language,
            categories,
            event,
            response_types,
            urgency,
            severity,
            certainty,
            audience,
            event_codes,
            effective,
            onset,
            expires,
            sender_name,
            headline,
            description,
            instruction,
            web,
            contact,
            parameters,
            resources,
            areas,
        }
    })
}

fn resource() -> impl Strategy<Value = Resource> {
    let content = proptest::option::of(proptest::collection::vec(any::<u8>(), 1..40));
    let digest = proptest::option::of("[0-9a-f]{40}");
    (text(), text(), any::<Option<u64>>(), uri(), content, digest).prop_map(
        |(description, mime_type, size, uri, content, digest)| Resource {
            description,
            mime_type,
            size,
            uri,
            content,
            digest,
        },
    )
}

fn area() -> impl Strategy<Value = Area> {
    let ring = proptest::collection::vec(point(), 3..9)
        .prop_filter("an open ring", |ring| ring.first() != ring.last());
    let polygon = ring.prop_map(|vertices| Polygon { vertices });
    let circle =
        (point(), 0.0..30_000.0).prop_map(|(center, radius_km)| Circle { center, radius_km });
    let height =
        || proptest::option::of((-1_000_000..1_000_000_i32).prop_map(|n| f64::from(n) / 8.0));
    (text(), few(polygon), few(circle), few(named()), height(), height()).prop_map(
        |(description, polygons, circles, geocodes, altitude, ceiling)| Area {
            description,
            polygons,
            circles,
            geocodes,
            altitude,
            ceiling,
        },
    )
}

fn point() -> impl Strategy<Value = Point> {
    (-90.0..=90.0, -180.0..=180.0).prop_map(|(lat, lon)| Point { lat, lon })
}

fn named() -> impl Strategy<Value = NamedValue> {
    (prop_oneof![text(), Just(String::new())], text())
        .prop_map(|(name, value)| NamedValue { name, value })
}

fn reference() -> impl Strategy<Value = Reference> {
    (key(), key(), time()).prop_map(|(sender, identifier, sent)| Reference {
        sender,
        identifier,
        sent,
    })
}

fn key() -> impl Strategy<Value = String> {
    "[!-%'-+\\--;=-~厦门]{1,20}"
}

/// Anything XML can carry, if not blank: markup, quotes, carriage returns, characters beyond the
/// first plane.
fn text() -> impl Strategy<Value = String> {
    "[\\t\\n\\r -\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}<>&\"'\\]]{1,24}"
        .prop_filter("not blank", |text| !text.trim_matches([' ', '\t', '\n', '\r']).is_empty())
}

fn maybe() -> impl Strategy<Value = Option<String>> {
    proptest::option::of(text())
}

fn uri() -> impl Strategy<Value = Option<String>> {
    proptest::option::of("[a-z]{1,6}://[a-z.]{1,12}(:[0-9]{1,4})?/[a-z0-9%]{0}[a-z0-9;,=&]{0,8}")
}

/// Whole seconds of the years 1 to 9999.
fn time() -> impl Strategy<Value = Timestamp> {
    (-62_135_500_000_i64..253_402_000_000)
        .prop_map(|second| Timestamp::from_second(second).expect("in the calendar"))
}

fn maybe_time() -> impl Strategy<Value = Option<Timestamp>> {
    proptest::option::of(time())
}

fn few<T: std::fmt::Debug>(item: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    proptest::collection::vec(item, 0..4)
}
