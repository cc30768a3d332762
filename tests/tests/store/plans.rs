//! How SQLite finds the rows of each statement: none walks through a table that grows.

use dispatcher::store::Db;
use sqlx::{AssertSqlSafe, Row as _};

use crate::tables::OWN;
use crate::{TURN, statements};

/// Statements that read a whole table, each with why it may.
const WHOLE: [(&str, &str); 11] = [
    ("audit_heads.rs", "newest"), // the first step along the key, backwards
    ("migrations.rs", "applied"), // some dozens
    ("mod.rs", "count_regions"),  // asked by a person
    ("orders.rs", "last_heard"),  // asks for every terminal
    ("regions.rs", "tree"),       // asks for every region, once a revision
    ("regions.rs", "count"),      // on start
    ("restore.rs", "end_sessions"), // once, when nobody is served
    ("restore.rs", "end_enrolments"), // once, when nobody is served
    ("revocations.rs", "newest"), // the first step along the key, backwards
    ("terminal_states.rs", "last_seen"), // asks for every terminal
    ("terminals.rs", "places"),   // asks for every terminal, once a revision
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_statement_walks_through_a_table_that_grows() {
    let _turn = TURN.lock().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite:{}", folder.path().join("store.db").display());
    let db = Db::open(&url, 1).await.expect("opens");
    let mut read = db.read().await.expect("connects");
    let mut walks = Vec::new();
    for statement in statements::sources().statements {
        let verb = statement.sql.split_whitespace().next().unwrap_or_default();
        let is_planned = ["select", "update", "delete", "insert"].contains(&verb);
        let is_postgres = statement.only_on().is_some_and(|on| on != db.engine());
        if !is_planned || is_postgres || statement.sql.contains('{') {
            continue;
        }
        let key = (statement.file.as_str(), statement.function.as_str());
        let sql = AssertSqlSafe(format!("{OWN} explain query plan {}", statement.sql));
        let plan = sqlx::raw_sql(sql).fetch_all(&mut *read).await.expect("it is planned");
        for step in plan {
            let step = step.get::<String, _>("detail");
            if step.starts_with("SCAN ") && !WHOLE.contains(&key) {
                walks.push(format!("{step}: {statement}"));
            }
        }
    }
    drop(read);
    db.close().await;
    assert!(walks.is_empty(), "\n{}", walks.join("\n"));
}
