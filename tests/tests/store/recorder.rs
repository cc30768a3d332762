//! Listens to the driver: which statements were really executed, on whatever thread.

use std::collections::BTreeSet;
use std::sync::{Mutex, OnceLock, PoisonError};

use tracing::field::{Field, Visit};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

/// Where the driver tells of each statement.
const TARGET: &str = "sqlx::query";

/// Texts so far, in this process.
#[derive(Debug, Default)]
pub(crate) struct Recorder(Mutex<BTreeSet<String>>);

static RECORDER: OnceLock<&'static Recorder> = OnceLock::new();

impl Recorder {
    /// The one of this process, listening. SQLite's driver speaks on a thread of its own, so that
    /// it listens everywhere.
    pub(crate) fn get() -> &'static Self {
        RECORDER.get_or_init(|| {
            let recorder: &'static Self = Box::leak(Box::default());
            let subscriber = tracing_subscriber::registry().with(Listener(recorder));
            tracing::subscriber::set_global_default(subscriber)
                .expect("nothing else in these tests listens");
            recorder
        })
    }

    /// Hands out what was heard, and begins anew.
    pub(crate) fn take(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Listener(&'static Recorder);

impl<S: tracing::Subscriber> Layer<S> for Listener {
    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.target() == TARGET
    }

    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut heard = Heard::default();
        event.record(&mut heard);
        // A short statement is its own summary; a long one stands in full beside it.
        let sql = if heard.statement.is_empty() { heard.summary } else { heard.statement };
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).insert(sql);
    }
}

#[derive(Default)]
struct Heard {
    summary: String,
    statement: String,
}

impl Visit for Heard {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => value.clone_into(&mut self.summary),
            "db.statement" => {
                let text = value.strip_prefix("\n\n").unwrap_or(value);
                text.strip_suffix('\n').unwrap_or(text).clone_into(&mut self.statement);
            }
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}
