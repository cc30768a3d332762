//! Messages of the meteorological service: the red typhoon of the fixtures, sent now.

use anyhow::{Context as _, ensure};
use jiff::{SignedDuration, Timestamp};

use super::api::{Api, Reply};
use super::clock;

const TYPHOON: &str = include_str!("../../../protocols/fixtures/cap/typhoon-red.xml");

/// The two towns that the fixture names, by their NBS codes.
pub const TOWNS: [&str; 2] = ["350211102000", "350212105000"];

/// A CAP message on its way.
#[derive(Debug, Clone)]
pub struct Bulletin(String);

impl Bulletin {
    /// The red typhoon under this identifier, sent now, good for three hours.
    pub fn typhoon(identifier: &str) -> anyhow::Result<Self> {
        let now = clock::now();
        let expires = now.checked_add(SignedDuration::from_hours(3)).context("in the calendar")?;
        Self(TYPHOON.to_owned())
            .with("2026-08-15T09:00:00+08:00", &beijing(now))?
            .with("2026-08-15T12:00:00+08:00", &beijing(expires))?
            .with("350200-11B01-20260815T090000-1", identifier)
    }

    /// With other words in every place where the old ones stand; an error when they stand nowhere.
    pub fn with(self, old: &str, new: &str) -> anyhow::Result<Self> {
        ensure!(self.0.contains(old), "the message does not say {old:?}");
        Ok(Self(self.0.replace(old, new)))
    }

    /// The document.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Hands it in under the token that `service` bears.
    pub async fn hand_in(&self, service: &Api) -> anyhow::Result<Reply> {
        let bytes = self.0.clone().into_bytes();
        service.post_raw("/api/v1/cap", "application/cap+xml", bytes).await
    }
}

/// An instant as a Chinese sender writes it.
fn beijing(at: Timestamp) -> String {
    let zoned = at.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(8)));
    zoned.strftime("%Y-%m-%dT%H:%M:%S+08:00").to_string()
}
