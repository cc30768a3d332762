//! The stage: one city dispatcher, five officers, three villages in three towns.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::Timestamp;
use serde_json::json;

use crate::harness::api::Api;
use crate::harness::city::{CITY, City, CityOptions, Officer, text};
use crate::harness::monitor::Monitor;
use crate::harness::sound::PacedSink;
use crate::harness::village::{Card, Village};
use crate::harness::{clock, progress};

/// The villages: code, latitude, longitude. The first two towns are meant by the first alert; the
/// polygon of the second lies across the border of the first and the third town.
pub const VILLAGES: [(&str, f64, f64); 3] = [
    // 灌口镇 坑内村
    ("350211102201", 24.6123, 117.9911),
    // 莲花镇 莲花村
    ("350212105201", 24.7600, 118.0900),
    // 后溪镇 三兴社区居委会
    ("350211103003", 24.6313, 118.0333),
];

/// Everything that runs.
pub struct Stage {
    /// The dispatcher.
    pub city: City,
    /// The nodes, in the order of [`VILLAGES`].
    pub villages: Vec<Village>,
    /// 值班员, who writes.
    pub composer: Officer,
    /// 主任 and 副主任, who approve.
    pub commanders: [Officer; 2],
    /// 管理员.
    pub admin: Officer,
    /// 值班员 at the API.
    pub at_desk: Api,
    /// The token of the meteorological service.
    pub token: String,
    /// `card` or `file`.
    pub sound: &'static str,
    /// What listens to each village's sink; nothing with a real card.
    monitors: Vec<Monitor>,
    // Ends after the nodes that play into it.
    _sink: Option<PacedSink>,
}

impl Stage {
    /// Builds it below `folder`, which is empty.
    pub async fn build(folder: &Path) -> anyhow::Result<Self> {
        let city_folder = folder.join("city");
        std::fs::create_dir_all(&city_folder).context("make the city's folder")?;
        let mut city = City::prepare(&city_folder, &CityOptions::default())?;
        let composer = city.officer("lin-zhiban", "composer", CITY)?;
        let commanders = [
            city.officer("chen-zhuren", "commander", CITY)?,
            city.officer("wang-fuzhuren", "commander", CITY)?,
        ];
        let admin = city.officer("admin", "admin", CITY)?;
        city.start().await?;

        let has_card = has_sound_card();
        let codes = VILLAGES.map(|(region, ..)| region);
        let sink = if has_card { None } else { Some(PacedSink::start_with(folder, &codes).await?) };
        let mut monitors = Vec::new();
        if let Some(sink) = &sink {
            for code in codes {
                monitors.push(Monitor::start(sink, sink.sink_of(code))?);
            }
        }
        let mut villages = Vec::new();
        for (region, lat, lon) in VILLAGES {
            let code = city.enrolment_code(region, Some((lat, lon)))?;
            let mut village = Village::enrol(&folder.join(region), region, &code)?;
            let card = sink.as_ref().map_or(Card::Real, Card::Paced);
            village.start(&card)?;
            villages.push(village);
        }
        let at_desk = city.log_in(&composer).await?;
        let token = token(&city.log_in(&admin).await?).await?;
        let stage = Self {
            city,
            villages,
            composer,
            commanders,
            admin,
            at_desk,
            token,
            sound: if has_card { "card" } else { "file" },
            monitors,
            _sink: sink,
        };
        progress::until_online(&stage.at_desk, stage.villages.len()).await?;
        if !has_card {
            for village in &stage.villages {
                village.until_capture_runs().await?;
            }
        }
        Ok(stage)
    }

    /// Ends everything in order; the nodes close their captures. Gives when sound began in each
    /// village, as it was heard from outside; nothing with a real card.
    pub async fn strike(mut self) -> anyhow::Result<Vec<Vec<Timestamp>>> {
        for village in &mut self.villages {
            village.stop().await?;
        }
        self.city.process()?.terminate().await?;
        self.monitors.drain(..).map(Monitor::finish).collect()
    }

    /// The captures, in the order of [`VILLAGES`]; none with a real card.
    pub fn wavs(&self) -> Vec<Option<PathBuf>> {
        let is_file = self.sound == "file";
        self.villages.iter().map(|village| is_file.then(|| village.wav.clone())).collect()
    }
}

async fn token(admin: &Api) -> anyhow::Result<String> {
    let wanted = json!({
        "name": "厦门市气象台",
        "region": CITY,
        "scope": "cap:submit",
        "expires_at": clock::now().checked_add(jiff::SignedDuration::from_hours(24))?,
    });
    let made = admin.post("/api/v1/tokens", &wanted).await?;
    Ok(text(&made, "secret")?.to_owned())
}

/// Whether ALSA knows a card. `TONGLUO_DEMO_SOUND=file` asks for files all the same.
fn has_sound_card() -> bool {
    let wants_file = std::env::var("TONGLUO_DEMO_SOUND").is_ok_and(|value| value == "file");
    let cards = std::fs::read_to_string("/proc/asound/cards").unwrap_or_default();
    !wants_file && cards.contains('[')
}
