//! Files for these tests, chance that can be repeated, and a job that cannot go on until it may.

use sqlx::{Connection, PgConnection};

use crate::support::{Kind, Server, Upload};

/// Products that are all new, with few categories.
pub(crate) fn products(prefix: &str, rows: usize) -> String {
    let mut text = "SKU,Name,Category,Selling Price\n".to_owned();
    for row in 0..rows {
        text.push_str(&format!("{prefix}-{row:06},Product {row},Cat {},{row}.25\n", row % 3));
    }
    text
}

/// Numbers that follow from a seed, which is printed.
#[derive(Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new() -> Self {
        let seed = uuid::Uuid::new_v4().as_u64_pair().0 | 1;
        eprintln!("seed {seed}");
        Self(seed)
    }

    /// A number from 0 to below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        // Xorshift of 64 bits.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).expect("it is below a usize")
    }
}

/// Keeps jobs from committing rows on PostgreSQL for as long as it lives.
#[derive(Debug)]
pub(crate) struct Locked(PgConnection);

impl Locked {
    /// Locks the products of a server that runs.
    pub(crate) async fn products(server: &Server) -> Self {
        let mut lock = PgConnection::connect(server.database.url().unwrap()).await.unwrap();
        for sql in ["begin", "lock table products in access exclusive mode"] {
            sqlx::raw_sql(sql).execute(&mut lock).await.unwrap();
        }
        Self(lock)
    }

    /// A server on PostgreSQL with a job of so many rows that waits for [`release`](Self::release).
    pub(crate) async fn job(
        rows: usize,
        upload: impl FnOnce(Upload) -> Upload,
    ) -> (Server, i64, Self) {
        let server = Server::start_with(Kind::Postgres, &[("LOADBAY_CHUNK_ROWS", "50")]).await;
        let lock = Self::products(&server).await;
        let upload = upload(Upload::csv(&products("L", rows)));
        let job = server.import("products", upload).await;
        server.until(job, |status| status["progress"]["total"] == rows).await;
        (server, job, lock)
    }

    pub(crate) async fn release(mut self) {
        sqlx::raw_sql("rollback").execute(&mut self.0).await.unwrap();
    }
}
