//! What the tests stand on: a store on a fresh database, jobs without files, and time that passes
//! when it is told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use loadbay::dataset::model::Dataset;
use loadbay::dataset::{BuiltIn, Datasets, Plan};
use loadbay::domain::chunk::{Chunk, FailedRow, SupersededRow};
use loadbay::domain::detected::{DecimalSeparator, Detected, Format};
use loadbay::domain::job::{Job, NewJob};
use loadbay::domain::options::Options;
use loadbay::domain::record::{Records, Value};
use loadbay::domain::row::{CellKind, RawRow};
use loadbay::domain::row_error::{RowCode, RowError};
use loadbay::domain::row_number::RowNumber;
use loadbay::domain::warning::Warnings;
use loadbay::store::{
    ChunkWriter, Claimant, EventQuota, FailedRowsSink, Inserted, Store, StoreSettings,
    TableConcurrency, TablesCreated, WriterSettings,
};
use uuid::Uuid;

use crate::support::{Database, Kind};

/// Long enough never to run out by itself.
pub(crate) const LEASE: Duration = Duration::from_hours(1);

/// Where the files of the jobs would lie.
pub(crate) const PLACE: &str = "place";

/// A store on a fresh database.
pub(crate) struct Ground {
    pub(crate) store: Store,
    pub(crate) database: Database,
    settings: StoreSettings,
    _folder: tempfile::TempDir,
}

impl Ground {
    pub(crate) async fn new(kind: Kind) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let database = Database::create(kind, folder.path()).await;
        let settings = StoreSettings {
            database_url: database.url().map(str::to_owned),
            sqlite_path: folder.path().join("loadbay.sqlite"),
            schema: "loadbay".to_owned(),
            lease: LEASE,
        };
        let store = Store::connect(&settings).await.expect("the database opens");
        let made = store.create_built_in_tables(&products()).await;
        assert_eq!(made.expect("it answers"), TablesCreated::Created);
        Self { store, database, settings, _folder: folder }
    }

    /// The store of another server; on SQLite, which has one server, the same.
    pub(crate) async fn another_server(&self) -> Store {
        match self.database.kind() {
            Kind::Sqlite => self.store.clone(),
            Kind::Postgres => Store::connect(&self.settings).await.expect("the database opens"),
        }
    }

    /// A job that waits, with what `change` says of it.
    pub(crate) async fn job_with(&self, change: impl FnOnce(&mut NewJob)) -> Job {
        let mut new = new_job();
        change(&mut new);
        match self.store.insert(&new, PLACE).await.expect("it is stored") {
            Inserted::New(job) => job,
            Inserted::KeyTaken(job) => panic!("job {} was there already", job.id),
            Inserted::KeyOfBulk(bulk) => panic!("bulk {bulk} was there already"),
        }
    }

    /// A job that waits.
    pub(crate) async fn job(&self) -> Job {
        self.job_with(|_| {}).await
    }

    /// A job of a client that waits.
    pub(crate) async fn job_of(&self, client: &str) -> Job {
        self.job_with(|new| new.created_by = Some(client.to_owned())).await
    }

    /// What the next claim of a server gives.
    pub(crate) async fn claim(&self, by: &Claimant) -> Option<Job> {
        self.store.claim(by).await.expect("the database answers")
    }

    /// A job that `owner` has claimed.
    pub(crate) async fn owned_by(&self, owner: &str) -> Job {
        let waiting = self.job().await;
        let job = self.claim(&claimant(owner)).await.expect("there is a job");
        assert_eq!(job.id, waiting.id, "another job was claimed");
        job
    }

    /// The job as it stands in the table.
    pub(crate) async fn now(&self, job: &Job) -> Job {
        self.store.get(job.id).await.expect("the database answers").expect("the job is there")
    }

    /// Lets the time of the job's lease pass.
    pub(crate) async fn let_lease_run_out(&self, job: &Job) {
        self.set(job, "lease_expires_at = '2020-01-01T00:00:00+00:00'").await;
    }

    /// Changes the job's row behind the store's back.
    pub(crate) async fn set(&self, job: &Job, assignments: &str) {
        let sql = format!("update import_log set {assignments} where id = {}", job.id);
        self.database.execute(&sql).await;
    }

    /// One column of the job's row, as text.
    pub(crate) async fn column(&self, job: &Job, column: &str) -> String {
        let sql = format!("select {column} from import_log where id = {}", job.id);
        self.database.value(&sql).await
    }

    /// Everything that the tables say of the job and of products.
    pub(crate) async fn tables(&self, job: &Job) -> Vec<Vec<Vec<String>>> {
        let mut tables = Vec::new();
        let of_job =
            |table: &str| format!("select * from {table} where import_log_id = {}", job.id);
        for sql in [
            format!("select * from import_log where id = {}", job.id),
            of_job("import_chunks"),
            of_job("import_errors"),
            of_job("import_error_groups"),
            of_job("import_superseded"),
            of_job("import_events"),
            "select sku, name from products".to_owned(),
        ] {
            let mut rows = self.database.rows(&sql).await;
            rows.sort();
            tables.push(rows);
        }
        tables
    }

    /// A writer for a job, as its run opens one.
    pub(crate) async fn writer(&self, job: &Job) -> Box<dyn ChunkWriter> {
        self.writer_with_disk(job, Arc::default()).await
    }

    /// A writer that can keep failed rows unless the disk is full.
    pub(crate) async fn writer_with_disk(
        &self,
        job: &Job,
        is_full: Arc<AtomicBool>,
    ) -> Box<dyn ChunkWriter> {
        let failed_rows = Arc::new(Disk { is_full });
        let dataset = products();
        let detected = job.detected.as_ref().expect("the file was looked at");
        let plan =
            Plan::new(&dataset, &detected.columns, &job.options.set).expect("the columns fit");
        let event_quota = EventQuota::default();
        for left in [&event_quota.errors, &event_quota.superseded, &event_quota.references] {
            left.store(100, Ordering::Relaxed);
        }
        let settings = WriterSettings {
            job: job.clone(),
            dataset,
            plan,
            failed_rows,
            event_quota: Arc::new(event_quota),
            every_row: true,
        };
        self.store.writers(&settings, 1).await.expect("a writer").remove(0)
    }
}

/// Where failed rows would go.
struct Disk {
    is_full: Arc<AtomicBool>,
}

#[async_trait::async_trait]
impl FailedRowsSink for Disk {
    async fn store(&self, _: u32, _: &[FailedRow]) -> std::io::Result<()> {
        if self.is_full.load(Ordering::Relaxed) {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

/// A job as an upload would make it.
pub(crate) fn new_job() -> NewJob {
    NewJob {
        uuid: Uuid::new_v4(),
        dataset: "products".to_owned(),
        file_name: "products.csv".to_owned(),
        file_size: 1,
        sha256: "0".repeat(64),
        options: Options::default(),
        download: None,
        detected: Some(Detected {
            format: Format::Csv,
            delimiter: Some(','),
            quote: None,
            escape: None,
            encoding: Some("utf-8".to_owned()),
            bom: false,
            encoding_guessed: false,
            encoding_samples: Vec::new(),
            sheet: None,
            header_row: 1,
            decimal: DecimalSeparator::Undeclared,
            dates: None,
            header: vec!["SKU".to_owned(), "Name".to_owned()],
            columns: vec![Some("sku".to_owned()), Some("name".to_owned())],
            meet: None,
        }),
        warnings: Warnings::default(),
        idempotency_key: None,
        bulk_id: None,
        trace: None,
        created_by: None,
        retry_of: None,
        selection: None,
        rollback_of: None,
        confirms: None,
    }
}

/// A server that takes whatever there is of the datasets of these tests.
pub(crate) fn claimant(owner: &str) -> Claimant {
    Claimant {
        owner: owner.to_owned(),
        storage_locations: vec![PLACE.to_owned()],
        lease: LEASE,
        datasets: ["products", "prices", "dealers"].map(str::to_owned).to_vec(),
        only: None,
        limits: Vec::new(),
        busy_with: Vec::new(),
        has_unknown_claims: false,
        downloads: false,
    }
}

/// The same, with at most so many running jobs of products.
pub(crate) fn with_limit(owner: &str, running_max: u32) -> Claimant {
    let limits = vec![TableConcurrency { datasets: vec!["products".to_owned()], running_max }];
    Claimant { limits, ..claimant(owner) }
}

/// A chunk of two products, of which the second failed when `fails`.
pub(crate) fn chunk(number: u32, fails: bool) -> Arc<Chunk> {
    Arc::new(chunk_from(number, number * 2 + 2, fails))
}

/// A chunk of a row that the next one supersedes, a product, and a row that failed.
pub(crate) fn chunk_of_three(number: u32) -> Arc<Chunk> {
    let first_row = number * 3 + 2;
    let mut chunk = chunk_from(number, first_row + 1, true);
    let row_number = RowNumber::new(first_row);
    chunk.first_row = row_number;
    chunk.superseded.push(SupersededRow { row_number, by_row_number: row_number.next() });
    Arc::new(chunk)
}

fn chunk_from(number: u32, first_row: u32, fails: bool) -> Chunk {
    let first_row = RowNumber::new(first_row);
    let mut chunk = Chunk { number, first_row, last_row: first_row.next(), ..Chunk::default() };
    chunk.records = Records::new(2);
    for row_number in [first_row, first_row.next()] {
        let (sku, name) = (format!("SKU {row_number}"), format!("Name {row_number}"));
        if fails && row_number > first_row {
            chunk.failed.push(failed(row_number, vec![sku, name]));
            continue;
        }
        let mut raw = RawRow::new();
        raw.row_number = row_number;
        raw.line = u64::from(row_number);
        for text in [&sku, &name] {
            raw.push(CellKind::Text, text);
            chunk.records.push(Value::Text(text));
        }
        chunk.records.finish(row_number);
        chunk.raw.push(&raw);
    }
    chunk
}

fn failed(row_number: RowNumber, cells: Vec<String>) -> FailedRow {
    let error = RowError {
        row_number,
        line: u64::from(row_number),
        column: Some("name".to_owned()),
        code: RowCode::ALL[0],
        message: "it is not to be".to_owned(),
        value: None,
    };
    FailedRow { row_number, cells, errors: vec![error] }
}

/// The dataset of all jobs here.
fn products() -> Arc<Dataset> {
    let datasets = Datasets::load::<&str, &str>(&BuiltIn::All, []).expect("the embedded datasets");
    Arc::clone(datasets.get("products").expect("there are products"))
}
