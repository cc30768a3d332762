//! The digest of what a message says, whatever its encoding, blanks, prefixes and offsets: the
//! same key with another digest is tampering.

use jiff::Timestamp;

use super::model::{Alert, Area, Info, NamedValue, Point, Resource};
use crate::digest::Digest;

/// SHA-256 over the content in a fixed form: each part with its length before it, each list with
/// its count, text without the white space around it, times as microseconds.
pub fn content_digest(alert: &Alert) -> Digest {
    let mut form = Form(Vec::with_capacity(4_096));
    form.alert(alert);
    Digest::of(&form.0)
}

struct Form(Vec<u8>);

impl Form {
    fn alert(&mut self, alert: &Alert) {
        self.text("tongluo cap content 1");
        self.text(&alert.identifier);
        self.text(&alert.sender);
        self.time(Some(alert.sent));
        self.text(alert.status.as_str());
        self.text(alert.msg_type.as_str());
        self.option(alert.source.as_deref());
        self.text(alert.scope.as_str());
        self.option(alert.restriction.as_deref());
        self.option(alert.addresses.as_deref());
        self.list(&alert.codes, |form, code| form.text(code));
        self.option(alert.note.as_deref());
        self.list(&alert.references, |form, reference| {
            form.text(&reference.sender);
            form.text(&reference.identifier);
            form.time(Some(reference.sent));
        });
        self.option(alert.incidents.as_deref());
        self.list(&alert.infos, Self::info);
    }

    fn info(&mut self, info: &Info) {
        self.text(&info.language().to_ascii_lowercase());
        self.list(&info.categories, |form, category| form.text(category.as_str()));
        self.text(&info.event);
        self.list(&info.response_types, |form, response| form.text(response.as_str()));
        self.text(info.urgency.as_str());
        self.text(info.severity.as_str());
        self.text(info.certainty.as_str());
        self.option(info.audience.as_deref());
        self.list(&info.event_codes, Self::named_value);
        self.time(info.effective);
        self.time(info.onset);
        self.time(info.expires);
        self.option(info.sender_name.as_deref());
        self.option(info.headline.as_deref());
        self.option(info.description.as_deref());
        self.option(info.instruction.as_deref());
        self.option(info.web.as_deref());
        self.option(info.contact.as_deref());
        self.list(&info.parameters, Self::named_value);
        self.list(&info.resources, Self::resource);
        self.list(&info.areas, Self::area);
    }

    fn resource(&mut self, resource: &Resource) {
        self.text(&resource.description);
        self.text(&resource.mime_type);
        self.option(resource.size.map(|size| size.to_string()).as_deref());
        self.option(resource.uri.as_deref());
        self.option(
            resource.content.as_deref().map(|bytes| Digest::of(bytes).to_string()).as_deref(),
        );
        self.option(resource.digest.as_deref());
    }

    fn area(&mut self, area: &Area) {
        self.text(&area.description);
        self.list(&area.polygons, |form, polygon| form.list(&polygon.vertices, Self::point));
        self.list(&area.circles, |form, circle| {
            form.point(&circle.center);
            form.number(circle.radius_km);
        });
        self.list(&area.geocodes, Self::named_value);
        self.list(area.altitude.as_slice(), |form, height| form.number(*height));
        self.list(area.ceiling.as_slice(), |form, height| form.number(*height));
    }

    fn named_value(&mut self, named: &NamedValue) {
        self.text(&named.name);
        self.text(&named.value);
    }

    fn point(&mut self, point: &Point) {
        self.number(point.lat);
        self.number(point.lon);
    }

    fn list<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Self, &T)) {
        self.count(items.len());
        for item in items {
            each(self, item);
        }
    }

    fn option(&mut self, text: Option<&str>) {
        self.list(text.as_slice(), |form, text| form.text(text));
    }

    fn time(&mut self, at: Option<Timestamp>) {
        self.list(at.as_slice(), |form, at| form.0.extend(at.as_microsecond().to_be_bytes()));
    }

    fn number(&mut self, number: f64) {
        // 0 and −0 are the same place.
        self.0.extend((number + 0.0).to_bits().to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        let text = text.trim();
        self.count(text.len());
        self.0.extend(text.as_bytes());
    }

    fn count(&mut self, count: usize) {
        self.0.extend((count as u64).to_be_bytes());
    }
}
