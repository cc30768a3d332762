//! A city with two officers, and what its database knows of receipts.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use sqlx::AnyConnection;
use sqlx::Connection as _;
use tests::harness::api::Api;
use tests::harness::city::{CITY, City, CityOptions, text};
use tests::harness::clock;

use crate::vendor::Vendor;

/// 灌口镇 坑内村, inside the polygon of [`Town::issue_polygon`].
pub(crate) const NEAR: (&str, f64, f64) = ("350211102201", 24.6123, 117.9911);
/// 莲花镇 莲花村, in another district.
pub(crate) const FAR: (&str, f64, f64) = ("350212105201", 24.7600, 118.0900);
/// 后溪镇 三兴社区居委会, in the district of the polygon and outside of it.
pub(crate) const BESIDE: (&str, f64, f64) = ("350211103003", 24.6313, 118.0333);
/// 灌口镇.
pub(crate) const NEAR_TOWN: &str = "350211102000";
/// 集美区.
pub(crate) const NEAR_DISTRICT: &str = "350211000000";

/// Longest wait for something that takes a sounding on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_mins(2);

/// The dispatcher and its officers.
pub(crate) struct Town {
    pub(crate) city: City,
    author: Api,
    approver: Api,
    folder: PathBuf,
}

impl Town {
    pub(crate) async fn build(folder: &Path, broker_url: Option<String>) -> anyhow::Result<Self> {
        let options = CityOptions { broker_url, ..CityOptions::default() };
        let mut city = City::prepare(folder, &options)?;
        let author = city.officer("author", "commander", CITY)?;
        let approver = city.officer("approver", "commander", CITY)?;
        city.start().await?;
        let author = city.log_in(&author).await?;
        let approver = city.log_in(&approver).await?;
        Ok(Self { city, author, approver, folder: folder.to_owned() })
    }

    /// Enrols a vendor's terminal and starts it.
    pub(crate) fn terminal(&self, place: (&str, f64, f64)) -> anyhow::Result<Vendor> {
        let (village, lat, lon) = place;
        let code = self.city.enrolment_code(village, Some((lat, lon)))?;
        let mut vendor = Vendor::enrol(&self.folder.join(village), &code)?;
        vendor.start()?;
        Ok(vendor)
    }

    /// Waits until so many terminals are online: their vitals were believed.
    pub(crate) async fn online(&self, wanted: usize) -> anyhow::Result<()> {
        clock::eventually("terminals are online", DEADLINE, async || {
            let listed = self.author.get(&format!("/api/v1/liveness?region={CITY}")).await?;
            let items = listed["items"].as_array().cloned().unwrap_or_default();
            let online = items.iter().filter(|item| item["liveness"] == "online").count();
            Ok((online >= wanted).then_some(()))
        })
        .await
    }

    /// A yellow warning for the near town, by one officer.
    pub(crate) async fn issue(&self, times: u8, interval_s: u16) -> anyhow::Result<String> {
        let content = json!({
            "kind": "actual",
            "color": "yellow",
            "event": "11B03",
            "texts": [{
                "language": "zh-CN",
                "headline": "暴雨黄色预警",
                "description": "今晚有暴雨",
                "instruction": "请远离河道，到高处去",
            }],
            "area": { "regions": [NEAR_TOWN] },
            "repeats": { "times": times, "interval_s": interval_s },
        });
        let id = self.submit(NEAR_TOWN, &content).await?;
        self.author.post(&format!("/api/v1/alerts/{id}/issue"), &json!({})).await?;
        Ok(id)
    }

    /// An orange warning for a polygon across the border of two towns: it travels on the
    /// district's topic, and whoever is outside answers.
    pub(crate) async fn issue_polygon(&self) -> anyhow::Result<String> {
        let content = json!({
            "kind": "actual",
            "color": "orange",
            "event": "11B03",
            "texts": [{
                "language": "zh-CN",
                "headline": "暴雨橙色预警",
                "description": "两镇交界处有大雨",
                "instruction": "请转移到高处",
            }],
            "area": { "polygons": [[
                { "lat": 24.600, "lon": 117.975 },
                { "lat": 24.600, "lon": 118.020 },
                { "lat": 24.625, "lon": 118.020 },
                { "lat": 24.625, "lon": 117.975 },
            ]] },
            "repeats": { "times": 1, "interval_s": 0 },
            "wants_out_of_area": true,
        });
        let id = self.submit(NEAR_DISTRICT, &content).await?;
        let shown = self.author.get(&format!("/api/v1/alerts/{id}")).await?;
        let approval = json!({ "digest": text(&shown, "digest")?, "reason": "同意发布" });
        self.approver.post(&format!("/api/v1/alerts/{id}/approve"), &approval).await?;
        self.author.post(&format!("/api/v1/alerts/{id}/issue"), &json!({})).await?;
        Ok(id)
    }

    async fn submit(&self, region: &str, content: &Value) -> anyhow::Result<String> {
        let body = json!({ "region": region, "content": content });
        let made = self.author.post("/api/v1/alerts", &body).await?;
        let id = text(&made, "id")?.to_owned();
        self.author.post(&format!("/api/v1/alerts/{id}/submit"), &json!({})).await?;
        Ok(id)
    }

    pub(crate) async fn withdraw(&self, alert: &str) -> anyhow::Result<()> {
        let path = format!("/api/v1/alerts/{alert}/withdraw");
        self.author.post(&path, &json!({ "reason": "误发" })).await?;
        Ok(())
    }

    /// Stops a region: the id of the stop.
    pub(crate) async fn stop(&self, region: &str) -> anyhow::Result<String> {
        let body = json!({ "region": region, "reason": "喇叭在医院门口" });
        let made = self.author.post("/api/v1/stops", &body).await?;
        Ok(text(&made, "id")?.to_owned())
    }

    pub(crate) async fn lift_stop(&self, stop: &str) -> anyhow::Result<()> {
        let path = format!("/api/v1/stops/{stop}/lift");
        self.author.send(reqwest::Method::POST, &path, None).await?.ok()?;
        Ok(())
    }

    /// Waits for a receipt: of a terminal, about an order of this purpose, as wanted.
    pub(crate) async fn receipt(
        &self,
        terminal: &Vendor,
        alert: &str,
        wanted: (&str, &str, u64),
    ) -> anyhow::Result<Value> {
        let (purpose, state, repeat) = wanted;
        let path = format!("/api/v1/alerts/{alert}/receipts?limit=200");
        let waited = clock::eventually(state, DEADLINE, async || {
            let listed = self.author.get(&path).await?;
            let items = listed["items"].as_array().cloned().unwrap_or_default();
            Ok(items.into_iter().find(|item| {
                item["terminal"] == terminal.id
                    && item["purpose"] == purpose
                    && item["state"] == state
                    && item["repeat"] == repeat
            }))
        });
        waited.await.with_context(|| format!("{wanted:?}, {}", terminal.log()))
    }

    /// What the dispatcher counts at each terminal of an alert: state by terminal id.
    pub(crate) async fn deliveries(&self, alert: &str) -> anyhow::Result<Vec<Value>> {
        let listed = self.author.get(&format!("/api/v1/alerts/{alert}/deliveries")).await?;
        Ok(listed["items"].as_array().cloned().unwrap_or_default())
    }

    /// Waits until the newest receipt that the dispatcher has written of a terminal about the
    /// message of this name is as wanted, and gives its state and reason.
    pub(crate) async fn verdict(
        &self,
        terminal: &Vendor,
        name: &[u8],
        is_wanted: impl Fn(&(String, String)) -> bool,
    ) -> anyhow::Result<(String, String)> {
        const SQL: &str = "select state, coalesce(reason, '') from receipts
where terminal = $1 and order_digest = $2
order by number desc";
        sqlx::any::install_default_drivers();
        let url = format!("sqlite:{}", self.folder.join("tongluo.db").display());
        let mut connection = AnyConnection::connect(&url).await.context("open the database")?;
        let waited = clock::eventually("a receipt about a message", DEADLINE, async || {
            let row = sqlx::query_as::<_, (String, String)>(SQL)
                .bind(terminal.id.clone())
                .bind(name.to_vec())
                .fetch_optional(&mut connection)
                .await?;
            Ok(row.filter(|row| is_wanted(row)))
        });
        waited.await.with_context(|| terminal.log())
    }

    /// Where the dispatcher's private files lie.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}
