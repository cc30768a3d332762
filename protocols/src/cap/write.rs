//! The strict writer: what it gives out passes the schema of CAP 1.2, or it gives out nothing.

use jiff::Timestamp;

use super::model::{Alert, Area, Info, NamedValue, Point, Reference, Resource};
use super::{NAMESPACE_1_2, time, uri};
use base64::Engine as _;

/// Why a message can't be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// A part that others need to refer to the message holds a blank, a comma, `<` or `&`.
    #[error("{field}: no blanks, commas, < or &: {text:?}")]
    KeyCharacters {
        /// Which element.
        field: &'static str,
        /// Its text.
        text: String,
    },
    /// XML 1.0 has no way to write a character.
    #[error("{field}: the character U+{character:04X} can't be written in XML")]
    Character {
        /// Which element.
        field: &'static str,
        /// Its code point.
        character: u32,
    },
    /// An empty text where there should be text or no element.
    #[error("{field}: is empty")]
    Empty {
        /// Which element.
        field: &'static str,
    },
    /// A time with a fraction of a second, or outside the years 1 to 9999.
    #[error("{field}: {at} is not a whole second of the years 1 to 9999")]
    Time {
        /// Which element.
        field: &'static str,
        /// The time.
        at: Timestamp,
    },
    /// A text that is not of the type of its element.
    #[error("{field}: {text:?} is not a {wanted}")]
    Type {
        /// Which element.
        field: &'static str,
        /// Its text.
        text: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// A shape or height off the globe, not a number, or with too few points.
    #[error("{field}: not a place on the globe")]
    Geometry {
        /// Which element.
        field: &'static str,
    },
    /// An info without a category.
    #[error("category: there must be one")]
    NoCategory,
}

/// Characters of a height. Readers of xs:decimal need not take more than 18 digits.
const HEIGHT_DIGITS_MAX: usize = 20;

/// Writes a message: UTF-8, CAP 1.2, times at +08:00.
pub fn write(alert: &Alert) -> Result<Vec<u8>, WriteError> {
    let mut out = Writer { xml: String::with_capacity(4_096), depth: 0 };
    out.xml.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    out.xml.push_str("<alert xmlns=\"");
    out.xml.push_str(NAMESPACE_1_2);
    out.xml.push_str("\">\n");
    out.depth = 1;
    out.alert(alert)?;
    out.xml.push_str("</alert>\n");
    Ok(out.xml.into_bytes())
}

struct Writer {
    xml: String,
    depth: usize,
}

type Written = Result<(), WriteError>;

impl Writer {
    fn alert(&mut self, alert: &Alert) -> Written {
        self.text("identifier", key_part("identifier", &alert.identifier)?)?;
        self.text("sender", key_part("sender", &alert.sender)?)?;
        self.time("sent", Some(alert.sent))?;
        self.text("status", alert.status.as_str())?;
        self.text("msgType", alert.msg_type.as_str())?;
        self.optional("source", alert.source.as_deref())?;
        self.text("scope", alert.scope.as_str())?;
        self.optional("restriction", alert.restriction.as_deref())?;
        self.optional("addresses", alert.addresses.as_deref())?;
        for code in &alert.codes {
            self.optional("code", Some(code))?;
        }
        self.optional("note", alert.note.as_deref())?;
        self.references(&alert.references)?;
        self.optional("incidents", alert.incidents.as_deref())?;
        for info in &alert.infos {
            self.group("info", |out| out.info(info))?;
        }
        Ok(())
    }

    fn references(&mut self, references: &[Reference]) -> Written {
        let mut entries = Vec::with_capacity(references.len());
        for reference in references {
            let sender = key_part("references", &reference.sender)?;
            let identifier = key_part("references", &reference.identifier)?;
            entries
                .push(format!("{sender},{identifier},{}", written("references", reference.sent)?));
        }
        if entries.is_empty() { Ok(()) } else { self.text("references", &entries.join(" ")) }
    }

    fn info(&mut self, info: &Info) -> Written {
        if let Some(language) = &info.language {
            self.typed("language", language, uri::is_language, "language tag")?;
        }
        if info.categories.is_empty() {
            return Err(WriteError::NoCategory);
        }
        for category in &info.categories {
            self.text("category", category.as_str())?;
        }
        self.optional("event", Some(&info.event))?;
        for response in &info.response_types {
            self.text("responseType", response.as_str())?;
        }
        self.text("urgency", info.urgency.as_str())?;
        self.text("severity", info.severity.as_str())?;
        self.text("certainty", info.certainty.as_str())?;
        self.optional("audience", info.audience.as_deref())?;
        self.named_values("eventCode", &info.event_codes)?;
        self.time("effective", info.effective)?;
        self.time("onset", info.onset)?;
        self.time("expires", info.expires)?;
        self.optional("senderName", info.sender_name.as_deref())?;
        self.optional("headline", info.headline.as_deref())?;
        self.optional("description", info.description.as_deref())?;
        self.optional("instruction", info.instruction.as_deref())?;
        self.uri("web", info.web.as_deref())?;
        self.optional("contact", info.contact.as_deref())?;
        self.named_values("parameter", &info.parameters)?;
        for resource in &info.resources {
            self.group("resource", |out| out.resource(resource))?;
        }
        for area in &info.areas {
            self.group("area", |out| out.area(area))?;
        }
        Ok(())
    }

    fn resource(&mut self, resource: &Resource) -> Written {
        self.optional("resourceDesc", Some(&resource.description))?;
        self.optional("mimeType", Some(&resource.mime_type))?;
        if let Some(size) = resource.size {
            self.text("size", &size.to_string())?;
        }
        self.uri("uri", resource.uri.as_deref())?;
        if let Some(content) = &resource.content {
            if content.is_empty() {
                return Err(WriteError::Empty { field: "derefUri" });
            }
            let text = base64::engine::general_purpose::STANDARD.encode(content);
            self.text("derefUri", &text)?;
        }
        if let Some(digest) = &resource.digest {
            let is_trimmed = |text: &str| text.trim() == text && !text.is_empty();
            self.typed("digest", digest, is_trimmed, "digest without blanks around it")?;
        }
        Ok(())
    }

    fn area(&mut self, area: &Area) -> Written {
        self.optional("areaDesc", Some(&area.description))?;
        for polygon in &area.polygons {
            let (Some(first), true) = (polygon.vertices.first(), polygon.vertices.len() >= 3)
            else {
                return Err(WriteError::Geometry { field: "polygon" });
            };
            let mut text = String::new();
            for vertex in &polygon.vertices {
                text.push_str(&point("polygon", *vertex)?);
                text.push(' ');
            }
            // A ring whose last vertex already repeats the first would lose one when read.
            if polygon.vertices.last() == Some(first) {
                return Err(WriteError::Geometry { field: "polygon" });
            }
            text.push_str(&point("polygon", *first)?);
            self.text("polygon", &text)?;
        }
        for circle in &area.circles {
            if !circle.radius_km.is_finite() || circle.radius_km < 0.0 {
                return Err(WriteError::Geometry { field: "circle" });
            }
            let center = point("circle", circle.center)?;
            self.text("circle", &format!("{center} {}", circle.radius_km))?;
        }
        self.named_values("geocode", &area.geocodes)?;
        for (name, height) in [("altitude", area.altitude), ("ceiling", area.ceiling)] {
            let Some(height) = height else { continue };
            let text = height.to_string();
            if !height.is_finite() || text.len() > HEIGHT_DIGITS_MAX {
                return Err(WriteError::Geometry { field: name });
            }
            self.text(name, &text)?;
        }
        Ok(())
    }

    fn named_values(&mut self, name: &'static str, values: &[NamedValue]) -> Written {
        for named in values {
            self.group(name, |out| {
                out.text("valueName", &named.name)?;
                out.text("value", &named.value)
            })?;
        }
        Ok(())
    }

    fn group(&mut self, name: &str, inside: impl FnOnce(&mut Self) -> Written) -> Written {
        self.indent();
        self.push(&["<", name, ">\n"]);
        self.depth += 1;
        inside(self)?;
        self.depth -= 1;
        self.indent();
        self.push(&["</", name, ">\n"]);
        Ok(())
    }

    fn time(&mut self, field: &'static str, at: Option<Timestamp>) -> Written {
        match at {
            None => Ok(()),
            Some(at) => self.text(field, &written(field, at)?),
        }
    }

    fn uri(&mut self, field: &'static str, text: Option<&str>) -> Written {
        let is_uri =
            |text: &str| !text.is_empty() && uri::collapse(text) == text && uri::is_uri(text);
        text.map_or(Ok(()), |text| self.typed(field, text, is_uri, "URI"))
    }

    fn typed(
        &mut self,
        field: &'static str,
        text: &str,
        is_ok: impl Fn(&str) -> bool,
        wanted: &'static str,
    ) -> Written {
        if !is_ok(text) {
            return Err(WriteError::Type { field, text: text.to_owned(), wanted });
        }
        self.text(field, text)
    }

    fn optional(&mut self, field: &'static str, text: Option<&str>) -> Written {
        match text {
            None => Ok(()),
            Some(text) if text.trim_matches([' ', '\t', '\n', '\r']).is_empty() => {
                Err(WriteError::Empty { field })
            }
            Some(text) => self.text(field, text),
        }
    }

    fn text(&mut self, field: &'static str, text: &str) -> Written {
        self.indent();
        self.xml.push('<');
        self.xml.push_str(field);
        self.xml.push('>');
        for c in text.chars() {
            match c {
                '<' => self.xml.push_str("&lt;"),
                '>' => self.xml.push_str("&gt;"),
                '&' => self.xml.push_str("&amp;"),
                // A bare one would be read as a line feed.
                '\r' => self.xml.push_str("&#13;"),
                '\t' | '\n' => self.xml.push(c),
                '\u{0}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => {
                    return Err(WriteError::Character { field, character: u32::from(c) });
                }
                _ => self.xml.push(c),
            }
        }
        self.xml.push_str("</");
        self.xml.push_str(field);
        self.xml.push_str(">\n");
        Ok(())
    }

    fn push(&mut self, parts: &[&str]) {
        for part in parts {
            self.xml.push_str(part);
        }
    }

    fn indent(&mut self) {
        for _ in 0..self.depth {
            self.xml.push_str("  ");
        }
    }
}

fn key_part<'a>(field: &'static str, text: &'a str) -> Result<&'a str, WriteError> {
    if text.is_empty() {
        return Err(WriteError::Empty { field });
    }
    if text.contains(|c: char| c.is_whitespace() || matches!(c, ',' | '<' | '&')) {
        return Err(WriteError::KeyCharacters { field, text: text.to_owned() });
    }
    Ok(text)
}

fn written(field: &'static str, at: Timestamp) -> Result<String, WriteError> {
    time::format(at).ok_or(WriteError::Time { field, at })
}

fn point(field: &'static str, point: Point) -> Result<String, WriteError> {
    // Written so that NaN fails as well.
    let is_on_globe = point.lat.abs() <= 90.0 && point.lon.abs() <= 360.0;
    is_on_globe
        .then(|| format!("{},{}", point.lat, point.lon))
        .ok_or(WriteError::Geometry { field })
}
