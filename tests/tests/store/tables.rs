//! Every row of every table as text, for comparing one engine with the other.

use dispatcher::store::Db;
use dispatcher::store::migrations::MIGRATIONS;
use sqlx::any::AnyRow;
use sqlx::any::AnyTypeInfoKind as Kind;
use sqlx::{AssertSqlSafe, Column as _, Row as _, ValueRef as _};

/// By this the tests' own statements are told from the store's.
pub(crate) const OWN: &str = "/* test */";

/// The names of all tables, from the migrations.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let texts =
        MIGRATIONS.iter().flat_map(|migration| migration.sql.split("create table ").skip(1));
    texts.filter_map(|text| text.split_whitespace().next()).chain(["migrations"])
}

/// One line a row, sorted.
pub(crate) async fn dump(db: &Db) -> Vec<String> {
    let mut connection = db.read().await.expect("connects");
    let mut lines = Vec::new();
    for table in names() {
        // The name comes from our own migrations.
        let sql = AssertSqlSafe(format!("{OWN} select * from {table}"));
        let rows = sqlx::query(sql).fetch_all(&mut *connection).await.expect("selects");
        let mut table_lines =
            rows.iter().map(|row| format!("{table}: {}", shown(row))).collect::<Vec<_>>();
        table_lines.sort();
        lines.extend(table_lines);
    }
    lines
}

fn shown(row: &AnyRow) -> String {
    let mut cells = Vec::new();
    for (index, column) in row.columns().iter().enumerate() {
        let value = row.try_get_raw(index).expect("the column is there");
        let kind = value.type_info().kind();
        let text = match kind {
            _ if value.is_null() => "null".to_owned(),
            Kind::SmallInt | Kind::Integer | Kind::BigInt => row.get::<i64, _>(index).to_string(),
            Kind::Real | Kind::Double => format!("{:?}", row.get::<f64, _>(index)),
            Kind::Text => format!("{:?}", row.get::<String, _>(index)),
            Kind::Blob => hex::encode(row.get::<Vec<u8>, _>(index)),
            Kind::Null | Kind::Bool => panic!("no column of ours is {kind:?}"),
        };
        cells.push(format!("{}={text}", column.name()));
    }
    cells.join(" ")
}
