//! The four column types and null, through the driver, on a table that every database has.

use dispatcher::ports::Ports;
use dispatcher::store::{self, Db, StoreError, migrations};

/// A value of each column type.
type Row = (i64, Option<Vec<u8>>, Option<String>, Option<f64>);

/// Bytes of every value, the extremes of a bigint, null and an empty text come back unchanged.
pub(crate) async fn run(db: &Db) {
    assert_eq!(migrations::pending(db).await.expect("asks"), 0);
    migrations::run(db).await.expect("a second run changes nothing");

    let mut tx = db.begin().await.expect("begins");
    let sql =
        "/* test */ create table probe (id bigint primary key, b blob, t text, d double precision)";
    sqlx::raw_sql(sql).execute(&mut *tx).await.expect("creates");
    let bytes = (0..=255).collect::<Vec<u8>>();
    let rows = [
        (i64::MIN, Some(bytes), Some("广播 'q' \"d\" \n".to_owned()), Some(-0.1_f64)),
        (0, Some(Vec::new()), Some(String::new()), Some(f64::MAX)),
        (i64::MAX, None, None, None),
    ];
    for (id, blob, text, double) in &rows {
        sqlx::query("/* test */ insert into probe (id, b, t, d) values ($1, $2, $3, $4)")
            .bind(id)
            .bind(blob.clone())
            .bind(text.clone())
            .bind(double)
            .execute(&mut *tx)
            .await
            .expect("inserts");
    }
    let back: Vec<Row> = sqlx::query_as("/* test */ select id, b, t, d from probe order by id")
        .fetch_all(&mut *tx)
        .await
        .expect("selects");
    assert_eq!(back, rows);

    let twice = sqlx::query("/* test */ insert into probe (id) values (0)").execute(&mut *tx).await;
    let error = StoreError::from(twice.expect_err("the key is taken"));
    assert!(matches!(error, StoreError::Duplicate { .. }), "{error:?}");
    tx.rollback().await.expect("rolls back");

    let mut connection = db.read().await.expect("connects");
    let gone = sqlx::query("/* test */ select id from probe").execute(&mut *connection).await;
    assert!(gone.is_err(), "a transaction that was rolled back leaves no table");
    assert_eq!(store::count_regions(&mut connection).await.expect("counts"), 0);
    let now = Ports::system().now();
    assert_eq!(store::instant(store::micros(now), "", "").expect("valid"), now);
    assert!(store::instant(i64::MAX, "probe", "id").is_err());
}
