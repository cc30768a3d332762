//! What can go wrong between a use case and the database.

/// Why a store function failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The row is not as it was read: somebody else changed it first.
    #[error("a row of {table} was changed by somebody else meanwhile")]
    Conflict {
        /// Whose row.
        table: &'static str,
    },
    /// A unique key is taken.
    #[error("a row with this key exists already ({constraint})")]
    Duplicate {
        /// As the database names it.
        constraint: String,
    },
    /// Other transactions are in the way; worth trying again.
    #[error("the database is busy")]
    Busy,
    /// A stored value is not of its type: somebody wrote past the program.
    #[error("column {column} of {table} holds what it can't")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// The URL is not one of ours.
    #[error("the database URL is not usable: {0}")]
    Url(&'static str),
    /// The tables were made by a newer or another program.
    #[error("migration {number:04}: {why}")]
    Migration {
        /// Which.
        number: i64,
        /// Why it stops here.
        why: String,
    },
    /// The database itself.
    #[error("the database refused a statement")]
    Driver(#[source] sqlx::Error),
}

/// SQLite's SQLITE_BUSY and SQLITE_BUSY_SNAPSHOT; PostgreSQL's serialisation failure, deadlock and
/// lock time-out.
const BUSY_CODES: [&str; 5] = ["5", "517", "40001", "40P01", "55P03"];

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if matches!(error, sqlx::Error::PoolTimedOut) {
            return Self::Busy;
        }
        let Some(database) = error.as_database_error() else { return Self::Driver(error) };
        if database.is_unique_violation() {
            let constraint = database.constraint().unwrap_or(database.message()).to_owned();
            return Self::Duplicate { constraint };
        }
        if database.code().is_some_and(|code| BUSY_CODES.contains(&code.as_ref())) {
            return Self::Busy;
        }
        Self::Driver(error)
    }
}
