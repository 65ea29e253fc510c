//! A file with everything in it, what it leaves behind, and following its job.

use std::time::Instant;

use serde_json::Value;

use crate::support::*;

/// Rows of the files of these tests; with chunks of 10 a job has a hundred of them.
pub(crate) const ROWS: u64 = 1_000;

/// A list with everything in it: new keys, keys of [`before`], repeated keys, bad values,
/// references in changing letter case.
pub(crate) fn file() -> String {
    first(ROWS)
}

/// The first `rows` of [`file`].
pub(crate) fn first(rows: u64) -> String {
    let mut text = "SKU,Name,Category,Brand,Selling Price,Qty\n".to_owned();
    for row in 0..rows {
        // Every 9th row has the key of the row 5 before it, every 13th a bad price.
        let key = if row % 9 == 8 { row - 5 } else { row };
        let price = if row % 13 == 7 { "free".to_owned() } else { format!("{row}.25") };
        let category = if row % 2 == 0 { "DROPS" } else { "drops" };
        text.push_str(&format!("S{key:05},Row {row},{category} {},", row % 5));
        text.push_str(&format!("Brand {},{price},{}\n", row % 17, row % 100));
    }
    text
}

/// What is in the table before: every third key with another price.
pub(crate) fn before() -> String {
    before_first(ROWS)
}

/// The same for the [`first`] rows.
pub(crate) fn before_first(rows: u64) -> String {
    let mut text = "SKU,Name,Selling Price,Qty\n".to_owned();
    for row in (0..rows).step_by(3) {
        text.push_str(&format!("S{row:05},Old {row},1,{}\n", row % 100));
    }
    text
}

/// What an import leaves, without ids and times.
pub(crate) async fn contents(server: &Server) -> Vec<Vec<Vec<String>>> {
    let history = |table: &str, column: &str| {
        format!(
            "select p.sku, h.{column}, h.archived_at is null, count(*) from {table} h \
             join products p on p.id = h.product_id group by 1, 2, 3 order by 1, 2, 3"
        )
    };
    let queries = [
        "select p.sku, p.name, lower(c.name), b.name, p.selling_price, p.current_stock \
         from products p left join categories c on c.id = p.category_id \
         left join brands b on b.id = p.brand_id order by 1"
            .to_owned(),
        history("product_prices", "selling_price"),
        history("product_stocks", "current_stock"),
        "select lower(name) from categories order by 1".to_owned(),
        "select name from brands order by 1".to_owned(),
    ];
    let mut contents = Vec::new();
    for query in &queries {
        contents.push(server.rows(query).await);
    }
    contents
}

pub(crate) fn processed(status: &Value) -> u64 {
    status["progress"]["current"].as_u64().expect("a number")
}

/// Follows a running job until it has processed `rows`; it never goes back below `from`.
pub(crate) async fn reaches(server: &Server, job: i64, from: u64, rows: u64) -> u64 {
    let mut seen = from;
    let limit = Instant::now() + PATIENCE;
    loop {
        let answer = server.status(job).await;
        let now = processed(answer.ok());
        assert!(now >= seen, "{now} rows processed after {seen}: {}", answer.text());
        assert_ne!(answer.data()["status"], "completed", "the job ended before it was disturbed");
        seen = now;
        if seen >= rows {
            return seen;
        }
        assert!(Instant::now() < limit, "the job does not come to {rows} rows: {}", answer.text());
        before_the_next_look().await;
    }
}

/// The same files on a server that nobody disturbs.
pub(crate) async fn undisturbed(server: &Server) -> (Value, Vec<Vec<Vec<String>>>) {
    let quiet = Server::start(server.database.kind()).await;
    quiet.load("products", Upload::csv(&before())).await;
    let job = quiet.load("products", Upload::csv(&file())).await;
    (job["counts"].clone(), contents(&quiet).await)
}
