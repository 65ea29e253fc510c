//! Many files over one server and over several, on one PostgreSQL database and one shared folder:
//! how long until all of them are loaded. The files go into four tables, so that jobs run side by
//! side.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::files::{self, BenchFile, Content, Format};
use crate::http::Connection;
use crate::postgres::{self, Database};
use crate::product::HEADER;
use crate::server::Server;

/// Tables that the files go into in turn.
const TABLES: usize = 4;

/// Longest time that all files together may take.
const LIMIT: Duration = Duration::from_mins(15);

/// What is measured.
#[derive(Debug)]
pub(crate) struct Fleet<'a> {
    pub(crate) binary: &'a Path,
    /// Where generated files are kept.
    pub(crate) cache: &'a Path,
    /// An address of the cluster.
    pub(crate) cluster: &'a str,
    /// Files, and rows of all of them together.
    pub(crate) files: u32,
    pub(crate) rows: u32,
}

impl Fleet<'_> {
    /// Loads all files by so many servers on a database of their own; from the first upload to the
    /// end of the last job.
    pub(crate) fn run(&self, servers: usize) -> Result<Duration> {
        let work = tempfile::tempdir_in(self.cache)?;
        let parts = self.parts(work.path())?;
        let definitions = work.path().join("datasets");
        fs::create_dir(&definitions)?;
        let database = Database::create(self.cluster)?;
        for table in 0..TABLES {
            fs::write(definitions.join(format!("part{table}.toml")), definition(table)?)?;
            postgres::psql(&database.address, &create_table(table))?;
        }
        let shared = work.path().join("shared");
        fs::create_dir(&shared)?;
        let settings = [
            ("LOADBAY_STORAGE_URL", format!("file://{}", shared.display())),
            ("LOADBAY_DATASETS_DIR", definitions.display().to_string()),
        ];
        let start = |number| {
            let data = work.path().join(format!("data{number}"));
            Server::start_with(self.binary, &data, Some(&database.address), &settings)
        };
        let running = (0..servers).map(start).collect::<Result<Vec<_>>>()?;
        database.settle()?;
        let begin = Instant::now();
        upload(&running, &parts)?;
        wait(&database, self.files)?;
        let took = begin.elapsed();
        for server in running {
            server.stop()?;
        }
        let loaded =
            postgres::psql(&database.address, "select sum(created_count) from import_log")?;
        ensure!(loaded == self.rows.to_string(), "{loaded} rows of {} were loaded", self.rows);
        Ok(took)
    }

    /// The rows of one fresh file, cut into so many files.
    fn parts(&self, folder: &Path) -> Result<Vec<BenchFile>> {
        let whole = files::file(self.cache, Content::Fresh, Format::Csv, self.rows)?;
        let mut rows = csv::Reader::from_path(&whole.path)?;
        let header = rows.headers()?.clone();
        let mut rows = rows.into_records();
        let mut parts = Vec::new();
        for number in 0..self.files {
            let count = self.rows / self.files + u32::from(number < self.rows % self.files);
            let path: PathBuf = folder.join(format!("part{number}.csv"));
            let mut part = csv::Writer::from_path(&path)?;
            part.write_record(&header)?;
            for row in rows.by_ref().take(count as usize) {
                part.write_record(&row?)?;
            }
            part.flush()?;
            let bytes = fs::metadata(&path)?.len();
            let (content, format) = (whole.content, whole.format);
            parts.push(BenchFile { path, content, format, rows: count, bytes });
        }
        Ok(parts)
    }
}

/// Uploads the files to the servers in turn, to all servers at once.
fn upload(servers: &[Server], parts: &[BenchFile]) -> Result<()> {
    let one = |number: usize, server: &Server| -> Result<()> {
        let mut connection = Connection::open(server.address())?;
        for (index, part) in parts.iter().enumerate().skip(number).step_by(servers.len()) {
            let path = format!("/api/v1/import/part{}", index % TABLES);
            let (answer, _) = connection.upload(&path, part)?;
            ensure!(answer.status == 202, "{}: {}", answer.status, answer.json);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let one = &one;
        let uploads: Vec<_> = servers
            .iter()
            .enumerate()
            .map(|(number, server)| scope.spawn(move || one(number, server)))
            .collect();
        for upload in uploads {
            upload.join().map_err(|_| anyhow::anyhow!("a thread of the client died"))??;
        }
        Ok(())
    })
}

fn wait(database: &Database, files: u32) -> Result<()> {
    let limit = Instant::now() + LIMIT;
    let done = "select count(*) from import_log where completed_at is not null";
    while postgres::psql(&database.address, done)? != files.to_string() {
        ensure!(Instant::now() < limit, "not all files were loaded in time");
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

fn column(title: &str) -> String {
    title.to_lowercase().replace(' ', "_")
}

fn definition(table: usize) -> Result<String> {
    let mut text = format!("name = \"part{table}\"\ntable = \"part{table}\"\nkey = [\"sku\"]\n");
    for title in HEADER {
        write!(text, "\n[[column]]\nname = \"{}\"\n", column(title))?;
        if title == "SKU" {
            writeln!(text, "required = true")?;
        }
    }
    Ok(text)
}

fn create_table(table: usize) -> String {
    let columns: Vec<_> = HEADER
        .iter()
        .map(|title| {
            let unique = if *title == "SKU" { " not null unique" } else { "" };
            format!("{} text{unique}", column(title))
        })
        .collect();
    format!("create table part{table} (id bigserial primary key, {})", columns.join(", "))
}
