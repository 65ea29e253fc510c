//! What the cases begin from: a stopped server for each kind of job, and what an undisturbed job
//! leaves. Knows nothing of faults.

use serde_json::Value;

use super::goods;
use crate::support::*;

/// Rows of each file. In chunks of [`CHUNK_ROWS`] the third of them, which fails, is not the last one.
pub(super) const ROWS: u64 = 400;

const CHUNK_ROWS: &str = "100";

/// What is imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// The built-in products.
    Products,
    /// Goods with lists in a join table.
    Goods,
}

/// What the job of a case does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    Import,
    /// Imports a whole file or nothing.
    WholeFile,
    Rollback,
}

/// The job that is taken back: the second one of its server.
pub(super) const UNDONE: i64 = 2;

/// A server that is stopped before the job, and what an undisturbed job leaves.
pub(super) struct Ground {
    pub(super) subject: Subject,
    pub(super) work: Work,
    pub(super) origin: Server,
    definitions: Option<String>,
    pub(super) counts: Value,
    pub(super) contents: Vec<Vec<Vec<String>>>,
}

impl Subject {
    pub(super) fn dataset(self) -> &'static str {
        match self {
            Self::Products => "products",
            Self::Goods => "goods",
        }
    }

    fn before(self) -> String {
        match self {
            Self::Products => crate::survival::before_first(ROWS),
            Self::Goods => goods::before(),
        }
    }

    /// Some of its rows fail.
    pub(super) fn file(self) -> String {
        match self {
            Self::Products => crate::survival::first(ROWS),
            Self::Goods => goods::file(),
        }
    }

    /// None of its rows fails: some are known.
    pub(super) fn whole_file(self) -> String {
        match self {
            Self::Products => whole_products(),
            Self::Goods => goods::whole_file(),
        }
    }

    /// What somebody else does before a job is taken back: some rows of each chunk are kept.
    fn changes(self) -> [&'static str; 2] {
        match self {
            Self::Products => [
                "update products set uom = 'x' where sku like '%4'",
                "update products set name = 'x' where sku like '%14'",
            ],
            Self::Goods => goods::CHANGES,
        }
    }

    pub(super) async fn contents(self, server: &Server) -> Vec<Vec<Vec<String>>> {
        match self {
            Self::Products => crate::survival::contents(server).await,
            Self::Goods => goods::contents(server).await,
        }
    }
}

fn whole_products() -> String {
    let before = crate::survival::before_first(ROWS);
    let known = before.lines().skip(1);
    let new = (known.clone().count() as u64..ROWS).map(|row| format!("WHOLE{row},Whole {row}\n"));
    let known = known.filter_map(|line| line.split(',').next());
    let known = known.map(|sku| format!("{sku},Changed\n"));
    format!("SKU,Name\n{}", new.chain(known).collect::<String>())
}

impl Ground {
    pub(super) async fn prepare(kind: Kind, subject: Subject, work: Work) -> Self {
        let chunks = [("LOADBAY_CHUNK_ROWS", CHUNK_ROWS)];
        let mut origin = Server::start_with(kind, &chunks).await;
        let definitions = (subject == Subject::Goods).then(|| {
            origin.define(subject.dataset(), &goods::definition(), &chunks);
            origin.folder().join("definitions").to_str().expect("a path in UTF-8").to_owned()
        });
        origin.load(subject.dataset(), Upload::csv(&subject.before())).await;
        if work == Work::Rollback {
            let upload = Upload::csv(&subject.file()).option("undo", "true");
            assert_eq!(origin.load(subject.dataset(), upload).await["jobId"], UNDONE);
            for change in subject.changes() {
                origin.database.execute(change).await;
            }
        }
        assert!(origin.terminate().success());
        let (counts, contents) = (Value::Null, Vec::new());
        let mut ground = Self { subject, work, origin, definitions, counts, contents };
        ground.work_undisturbed().await;
        ground
    }

    /// What servers on this ground are started with.
    pub(super) fn settings<'a>(&'a self, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let mut settings = vec![("LOADBAY_CHUNK_ROWS", CHUNK_ROWS)];
        settings.extend(self.definitions.as_ref().map(|it| ("LOADBAY_DATASETS_DIR", it.as_str())));
        settings.extend(more);
        settings
    }

    async fn work_undisturbed(&mut self) {
        let mut quiet = self.origin.copy(&self.settings(&[])).await;
        quiet.restart();
        let dataset = self.subject.dataset();
        let job = match self.work {
            Work::Import => quiet.load(dataset, Upload::csv(&self.subject.file())).await,
            Work::WholeFile => {
                let upload = Upload::csv(&self.subject.whole_file());
                quiet.load(dataset, upload.option("atomic", "true")).await
            }
            Work::Rollback => {
                let rollback = quiet.action(UNDONE, "rollback").await.ok()["jobId"].clone();
                quiet.finished(rollback.as_i64().expect("a job number")).await
            }
        };
        assert_eq!(job["status"], "completed", "{job}");
        self.counts = job["counts"].clone();
        self.contents = self.subject.contents(&quiet).await;
        if self.subject == Subject::Goods {
            let links = match self.work {
                Work::Import => goods::links_of_the_file(),
                Work::WholeFile => goods::links_of_the_whole_file(),
                Work::Rollback => goods::links_of_the_rollback(),
            };
            goods::check_links(&self.contents, &links);
        }
        tokio::task::spawn_blocking(move || drop(quiet)).await.unwrap();
    }
}
