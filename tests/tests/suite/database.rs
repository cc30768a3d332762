//! A hand in the city's database, for what only time or a restore does there.

use anyhow::Context as _;
use sqlx::AnyPool;
use sqlx::any::AnyPoolOptions;

/// The city's database, opened beside the dispatcher that serves from it.
pub(crate) struct Database(AnyPool);

impl Database {
    pub(crate) async fn open(url: &str) -> anyhow::Result<Self> {
        sqlx::any::install_default_drivers();
        let pool = AnyPoolOptions::new().max_connections(1).connect(url).await;
        Ok(Self(pool.with_context(|| format!("open {url}"))?))
    }

    /// Changes something; an error when nothing changed.
    pub(crate) async fn run(&self, sql: &str) -> anyhow::Result<()> {
        let done = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&self.0).await;
        let done = done.with_context(|| sql.to_owned())?;
        anyhow::ensure!(done.rows_affected() > 0, "{sql} changed nothing");
        Ok(())
    }

    /// One text.
    pub(crate) async fn text(&self, sql: &str) -> anyhow::Result<String> {
        let row = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&self.0).await;
        row.with_context(|| sql.to_owned())
    }
}
