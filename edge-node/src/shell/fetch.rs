//! Gets clips and the phrase set over HTTP, a few at a time, again and again until they are no
//! longer wanted. What comes is handed to the run loop, which owns the cache.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use protocols::digest::Digest;
use protocols::limits::{CLIP_BYTES_MAX, PHRASE_SET_BYTES_MAX};
use protocols::order::ClipReference;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::clock;
use super::http::Http;

/// Clips of orders fetched at once: a village shares one thin line.
const AT_ONCE: usize = 2;

/// Phrases fetched at once, beside them: a hundred phrases must not stand before a red alert.
const PHRASES_AT_ONCE: usize = 1;

/// Clips wanted at once: three languages of every order a device holds, and the phrases.
const WANTED_MAX: usize = 512;

/// Results that may wait for the run loop.
const RESULTS_MAX: usize = 8;

/// First pause after a failure; it doubles.
const PAUSE_FIRST: Duration = Duration::from_secs(1);

/// Longest pause.
const PAUSE_LONGEST: Duration = Duration::from_mins(1);

/// A clip with less time than this is fetched without spreading the load first.
const URGENT: Duration = Duration::from_secs(4);

/// Spread of the others.
const SPREAD: Duration = Duration::from_millis(800);

/// Pause between two looks at the phrase set.
pub const PHRASES_EVERY: Duration = Duration::from_hours(6);

/// What came of a fetch.
#[derive(Debug)]
pub enum Fetched {
    /// A clip; its digest was checked.
    Clip {
        /// Which.
        digest: Digest,
        /// Its bytes.
        bytes: Vec<u8>,
        /// As asked.
        keep_until: Timestamp,
    },
    /// It did not come before its deadline. It is still being tried.
    Late(Digest),
    /// It did not come and is not wanted any more.
    GivenUp(Digest),
    /// The sealed phrase set; not yet verified.
    Phrases(Vec<u8>),
}

/// Fetches for one device.
pub struct Fetcher {
    http: Http,
    base: String,
    results: mpsc::Sender<Fetched>,
    gate: Arc<Semaphore>,
    phrase_gate: Arc<Semaphore>,
    wanted: BTreeMap<Digest, Timestamp>,
    tasks: JoinSet<()>,
    jitter: SmallRng,
}

impl Fetcher {
    /// A fetcher for the media URL `base`.
    pub fn new(http: Http, base: &str, seed: u64) -> (Self, mpsc::Receiver<Fetched>) {
        let (results, receiver) = mpsc::channel(RESULTS_MAX);
        let fetcher = Self {
            http,
            base: base.trim_end_matches('/').to_owned(),
            results,
            gate: Arc::new(Semaphore::new(AT_ONCE)),
            phrase_gate: Arc::new(Semaphore::new(PHRASES_AT_ONCE)),
            wanted: BTreeMap::new(),
            tasks: JoinSet::new(),
            jitter: SmallRng::seed_from_u64(seed),
        };
        (fetcher, receiver)
    }

    /// Gets a clip of an order unless it is being got already.
    pub fn clip(&mut self, clip: &ClipReference, deadline: Timestamp, keep_until: Timestamp) {
        let left = Duration::try_from(deadline.duration_since(clock::now())).unwrap_or_default();
        let first_wait = if left > URGENT { self.spread() } else { Duration::ZERO };
        let gate = Arc::clone(&self.gate);
        self.chase(clip, deadline, keep_until, gate, first_wait);
    }

    /// Gets the clip of a phrase unless it is being got already.
    pub fn phrase(&mut self, clip: &ClipReference, keep_until: Timestamp) {
        let (gate, first_wait) = (Arc::clone(&self.phrase_gate), self.spread());
        self.chase(clip, keep_until, keep_until, gate, first_wait);
    }

    fn spread(&mut self) -> Duration {
        SPREAD.mul_f64(self.jitter.random_range(0.0..1.0))
    }

    fn chase(
        &mut self,
        clip: &ClipReference,
        deadline: Timestamp,
        keep_until: Timestamp,
        gate: Arc<Semaphore>,
        first_wait: Duration,
    ) {
        while self.tasks.try_join_next().is_some() {}
        if self.wanted.contains_key(&clip.digest) || self.wanted.len() >= WANTED_MAX {
            return;
        }
        self.wanted.insert(clip.digest, keep_until);
        let chase = Chase {
            http: self.http.clone(),
            url: format!("{}/api/v1/clips/{}", self.base, clip.digest),
            digest: clip.digest,
            bytes_max: (clip.bytes as usize).min(CLIP_BYTES_MAX),
            deadline,
            keep_until,
            results: self.results.clone(),
            gate,
            jitter: SmallRng::seed_from_u64(self.jitter.random()),
        };
        self.tasks.spawn(chase.run(first_wait));
    }

    /// A result has been dealt with.
    pub fn done(&mut self, digest: &Digest) {
        self.wanted.remove(digest);
    }

    /// Begins to look for the phrase set, now and every few hours.
    pub fn watch_phrases(&mut self) {
        let url = format!("{}/api/v1/phrases", self.base);
        let (http, results) = (self.http.clone(), self.results.clone());
        let mut jitter = SmallRng::seed_from_u64(self.jitter.random());
        self.tasks.spawn(async move {
            let mut pause = PAUSE_FIRST;
            clock::sleep(SPREAD.mul_f64(jitter.random_range(0.0..1.0))).await;
            loop {
                match http.fetch(url.clone(), PHRASE_SET_BYTES_MAX).await {
                    Ok(sealed) => {
                        if results.send(Fetched::Phrases(sealed)).await.is_err() {
                            return;
                        }
                        pause = PHRASES_EVERY;
                    }
                    Err(error) => {
                        tracing::debug!("phrase set: {error}");
                        pause = (pause * 2).min(PAUSE_LONGEST * 10);
                    }
                }
                clock::sleep(pause.mul_f64(jitter.random_range(0.5..1.0))).await;
            }
        });
    }
}

struct Chase {
    http: Http,
    url: String,
    digest: Digest,
    bytes_max: usize,
    deadline: Timestamp,
    keep_until: Timestamp,
    results: mpsc::Sender<Fetched>,
    gate: Arc<Semaphore>,
    jitter: SmallRng,
}

impl Chase {
    async fn run(mut self, first_wait: Duration) {
        clock::sleep(first_wait).await;
        let mut pause = PAUSE_FIRST;
        let mut is_late = false;
        loop {
            if let Some(bytes) = self.attempt().await {
                let Self { digest, keep_until, .. } = self;
                let _ = self.results.send(Fetched::Clip { digest, bytes, keep_until }).await;
                return;
            }
            let now = clock::now();
            if now >= self.keep_until {
                let _ = self.results.send(Fetched::GivenUp(self.digest)).await;
                return;
            }
            if now >= self.deadline && !is_late {
                is_late = true;
                let _ = self.results.send(Fetched::Late(self.digest)).await;
            }
            clock::sleep(pause.mul_f64(self.jitter.random_range(0.5..1.0))).await;
            pause = (pause * 2).min(PAUSE_LONGEST);
        }
    }

    async fn attempt(&self) -> Option<Vec<u8>> {
        let _permit = self.gate.acquire().await.ok()?;
        match self.http.fetch(self.url.clone(), self.bytes_max).await {
            Ok(bytes) if Digest::of(&bytes) == self.digest => Some(bytes),
            Ok(_) => {
                tracing::warn!("clip {}: the server gave other bytes", self.digest);
                None
            }
            Err(error) => {
                tracing::info!("clip {}: {error}", self.digest);
                None
            }
        }
    }
}
