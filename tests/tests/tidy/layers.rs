//! Walls: what a folder may not name.

use crate::sources::{Source, rust};

/// A folder, what its code must not contain, and why.
struct Wall {
    folder: &'static str,
    except: &'static [&'static str],
    banned: &'static [&'static str],
    why: &'static str,
}

const WALLS: &[Wall] = &[
    Wall {
        folder: "protocols/src",
        except: &[],
        banned: &[
            "tokio",
            "std::fs",
            "std::net",
            "std::process",
            "SystemTime",
            "Instant::",
            "Timestamp::now",
            "rand::",
            "tracing::",
            ".await?",
            ".await;",
        ],
        why: "the language has no runtime, no clock, no randomness, no I/O",
    },
    Wall {
        folder: "dispatcher/src/domain",
        except: &[],
        banned: &[
            "async fn",
            ".await?",
            ".await;",
            "sqlx",
            "axum",
            "tokio",
            "tracing",
            "rumqttc",
            "std::fs",
            "std::net",
            "Timestamp::now",
            "Instant::now",
            "SystemTime",
            "rand::",
            "crate::store",
            "crate::app",
            "crate::http",
            "crate::mqtt",
            "crate::jobs",
            "crate::context",
        ],
        why: "decisions are pure and synchronous",
    },
    Wall {
        folder: "edge-node/src/engine",
        except: &[],
        banned: &[
            "async fn",
            ".await?",
            ".await;",
            "tokio",
            "tracing",
            "rumqttc",
            "cpal",
            "opus",
            "std::fs",
            "std::net",
            "Timestamp::now",
            "Instant::now",
            "SystemTime",
            "rand::",
            "crate::shell",
        ],
        why: "the engine is sans-IO: what the simulator runs is what ships",
    },
    Wall {
        folder: "dispatcher/src",
        except: &["dispatcher/src/store/"],
        banned: &["sqlx::"],
        why: "store/ is the only place that speaks SQL",
    },
    Wall {
        folder: "dispatcher/src/app",
        except: &[],
        banned: &["tokio::spawn", "tokio::time", "HashMap", "axum", "rumqttc", "Timestamp::now"],
        why: "use cases await only the store and ports",
    },
    Wall {
        folder: "dispatcher/src",
        except: &["dispatcher/src/http/", "dispatcher/src/commands/"],
        banned: &["axum::"],
        why: "HTTP stands at the edge",
    },
];

#[test]
fn no_layer_reaches_through_its_wall() {
    let mut breaches = Vec::new();
    for wall in WALLS {
        for source in rust(wall.folder) {
            let is_exempt = wall.except.iter().any(|prefix| source.path.starts_with(prefix));
            if !is_exempt && !is_test(&source.path) {
                breaches.extend(breaches_in(wall, &source));
            }
        }
    }
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

/// Test modules may act: they stand outside the walls.
fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("tests.rs")
}

fn breaches_in(wall: &Wall, source: &Source) -> Vec<String> {
    let code = source.code();
    let hits = wall.banned.iter().filter(|word| code.contains(**word));
    hits.map(|word| format!("{}: names `{word}`, but {}", source.path, wall.why)).collect()
}

#[test]
fn a_breach_is_found() {
    let wall = &WALLS[1];
    let text = "//! x\nuse sqlx::Any;\n".to_owned();
    let source = Source { path: "dispatcher/src/domain/x.rs".to_owned(), text };
    assert_eq!(breaches_in(wall, &source).len(), 1);
}
