//! Named points at which a test kills the program that reaches them, as a power cut would.
//!
//! A program says `kill_point!("order.journalled")` before and after each durable write and each
//! acknowledgement. With the feature `armed`, which only the tests' crate asks for, and with debug
//! assertions, so in no profile that is derived from `release`, two variables speak to the points:
//!
//! | variable | does |
//! |---|---|
//! | `TONGLUO_KILL_POINT=name` or `name:n` | the first or `n`th time that this point is reached, the process sends itself SIGKILL: nothing is flushed, nobody says goodbye |
//! | `TONGLUO_KILL_HITS=file` | each point that is reached adds its name to the file, in one write, before anything else |
//!
//! Without the feature a point is nothing, and its name is not in the program. This crate knows
//! nothing of what the programs write down.

/// Whether points do anything in this build; a constant, so that what only feeds a point is left
/// out with it.
pub const IS_ARMED: bool = cfg!(all(feature = "armed", debug_assertions));

/// A point at which the program may be killed by a test.
#[cfg(all(feature = "armed", debug_assertions))]
#[macro_export]
macro_rules! kill_point {
    ($name:literal) => {
        $crate::reached($name)
    };
}

/// A point at which the program may be killed by a test: nothing, in this build.
#[cfg(not(all(feature = "armed", debug_assertions)))]
#[macro_export]
macro_rules! kill_point {
    ($name:literal) => {
        ()
    };
}

#[cfg(all(feature = "armed", debug_assertions))]
pub use armed::reached;

#[cfg(all(feature = "armed", debug_assertions))]
mod armed {
    use std::fs::File;
    use std::io::Write as _;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use rustix::process::{Signal, getpid, kill_process};

    static PLAN: OnceLock<Plan> = OnceLock::new();

    /// What the environment asks of the points of this process.
    struct Plan {
        hits: Option<File>,
        name: Option<String>,
        /// Hits of the named point until it kills.
        left: AtomicU64,
    }

    impl Plan {
        fn read() -> Self {
            let hits = std::env::var_os("TONGLUO_KILL_HITS").map(|path| {
                let file = File::options().create(true).append(true).open(&path);
                file.unwrap_or_else(|error| panic!("TONGLUO_KILL_HITS {}: {error}", path.display()))
            });
            let Ok(point) = std::env::var("TONGLUO_KILL_POINT") else {
                return Self { hits, name: None, left: AtomicU64::new(0) };
            };
            let (name, nth) = point.split_once(':').unwrap_or((&point, "1"));
            let nth = nth.parse::<u64>().ok().filter(|nth| *nth > 0);
            let nth = nth.unwrap_or_else(|| panic!("TONGLUO_KILL_POINT {point}: name:n, n from 1"));
            Self { hits, name: Some(name.to_owned()), left: AtomicU64::new(nth) }
        }
    }

    /// Notes that a point was reached, and dies there if a test asked for it.
    pub fn reached(name: &'static str) {
        let plan = PLAN.get_or_init(Plan::read);
        if let Some(mut hits) = plan.hits.as_ref() {
            // One write to a file opened for appending: whole, and kept by the kernel after SIGKILL.
            let noted = hits.write_all(format!("{name}\n").as_bytes());
            noted.unwrap_or_else(|error| panic!("note {name} in TONGLUO_KILL_HITS: {error}"));
        }
        if plan.name.as_deref() != Some(name) || plan.left.fetch_sub(1, Ordering::SeqCst) != 1 {
            return;
        }
        kill_process(getpid(), Signal::KILL).expect("a process may signal itself");
        // The signal ends every thread before this one goes on.
        loop {
            std::thread::park();
        }
    }
}
