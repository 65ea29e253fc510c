//! PostgreSQL: the private cluster, and the limit: hand-written SQL through psql, one connection,
//! COPY into a temporary table and a set-based merge, each chunk one transaction.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::files::BenchFile;

const SCHEMA: &str = include_str!("../sql/schema_postgres.sql");
const BEGIN: &str = include_str!("../sql/begin_postgres.sql");
const MERGE: &str = include_str!("../sql/merge_postgres.sql");

const TABLES: &str =
    "product_prices, product_stocks, products, categories, brands, potencies, forms";

/// A private cluster, stopped and removed with this value.
#[derive(Debug)]
pub(crate) struct Cluster {
    folder: PathBuf,
    /// The address of its database `postgres`.
    pub(crate) address: String,
}

fn script(name: &str) -> Command {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts").join(name))
}

impl Cluster {
    /// Starts a cluster with the memory that a small production server would give it.
    pub(crate) fn start() -> Result<Self> {
        let name = format!("loadbay-bench-{}", uuid::Uuid::new_v4());
        let mut cluster = Self { folder: std::env::temp_dir().join(name), address: String::new() };
        let started = script("postgres-start")
            .arg(&cluster.folder)
            .args(["shared_buffers=1GB", "max_wal_size=4GB"])
            .stderr(Stdio::inherit())
            .output()?;
        ensure!(started.status.success(), "the private PostgreSQL did not start");
        String::from_utf8(started.stdout)?.trim().clone_into(&mut cluster.address);
        Ok(cluster)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = script("postgres-stop").arg(&self.folder).status();
    }
}

/// A database of the benchmark in a cluster, dropped with this value.
#[derive(Debug)]
pub(crate) struct Database {
    cluster: String,
    name: String,
    /// Its address, as `DATABASE_URL` takes it.
    pub(crate) address: String,
}

impl Database {
    /// Creates an empty database.
    pub(crate) fn create(cluster: &str) -> Result<Self> {
        let name = format!("bench_{}", uuid::Uuid::new_v4().simple());
        psql(cluster, &format!("create database {name}"))?;
        let (server, _) = cluster.rsplit_once('/').context("the address names no database")?;
        Ok(Self { cluster: cluster.to_owned(), address: format!("{server}/{name}"), name })
    }

    /// Makes the tables as Loadbay would; only where no server makes them itself.
    pub(crate) fn make_tables(&self) -> Result<()> {
        psql(&self.address, SCHEMA).map(drop)
    }

    /// Empties the tables and brings the disk to rest, so that every run begins alike.
    pub(crate) fn empty(&self) -> Result<()> {
        let jobs = psql(&self.address, "select to_regclass('import_log') is not null")?;
        let jobs = if jobs == "t" { ", import_log" } else { "" };
        psql(&self.address, &format!("truncate {TABLES}{jobs} restart identity cascade"))?;
        self.settle()
    }

    /// Writes out what an earlier run left to be written.
    pub(crate) fn settle(&self) -> Result<()> {
        psql(&self.address, "checkpoint").map(drop)
    }

    /// Rows in the products table, and in the two histories together.
    pub(crate) fn row_counts(&self) -> Result<(u64, u64)> {
        let sql = "select (select count(*) from products), \
                   (select count(*) from product_prices) + (select count(*) from product_stocks)";
        let counts = psql(&self.address, sql)?;
        let (products, history) = counts.split_once('|').context("two counts")?;
        Ok((products.parse()?, history.parse()?))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let sql = format!("drop database if exists {} with (force)", self.name);
        let _ = psql(&self.cluster, &sql);
    }
}

/// Runs SQL by psql and gives what it prints: rows by lines, columns by `|`.
pub(crate) fn psql(address: &str, sql: &str) -> Result<String> {
    let done = psql_command(address).args(["-At", "-c", sql]).output().context("psql is needed")?;
    if !done.status.success() {
        bail!("psql: {}", String::from_utf8_lossy(&done.stderr));
    }
    Ok(String::from_utf8(done.stdout)?.trim().to_owned())
}

fn psql_command(address: &str) -> Command {
    let mut command = Command::new("psql");
    command.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", address]);
    command.env("LC_ALL", "C.UTF-8");
    // The tables of a server, else those of a limit.
    command.env("PGOPTIONS", "-c search_path=loadbay,public");
    command
}

/// The limit's script for one file, with the file cut into chunks beforehand: cutting is not
/// measured.
#[derive(Debug)]
pub(crate) struct Limit {
    script: PathBuf,
    _folder: tempfile::TempDir,
}

impl Limit {
    /// Cuts the CSV file and writes the script.
    pub(crate) fn prepare(file: &BenchFile, chunk_rows: u32, folder: &Path) -> Result<Self> {
        let folder = tempfile::tempdir_in(folder)?;
        let mut reader = csv::Reader::from_path(&file.path)?;
        let mut script = BEGIN.to_owned();
        let mut record = csv::StringRecord::new();
        let mut number = 0;
        let mut left = file.rows;
        while left > 0 {
            let path = folder.path().join(format!("{number}.csv"));
            let mut writer = csv::Writer::from_writer(BufWriter::new(File::create(&path)?));
            for _ in 0..chunk_rows.min(left) {
                ensure!(reader.read_record(&mut record)?, "the file has too few rows");
                writer.write_record(&record)?;
            }
            writer.flush()?;
            left -= chunk_rows.min(left);
            number += 1;
            writeln!(script, "begin;\n\\copy stage from '{}' (format csv)", path.display())?;
            writeln!(script, "{MERGE}\ncommit;")?;
        }
        let path = folder.path().join("limit.sql");
        fs::write(&path, script)?;
        Ok(Self { script: path, _folder: folder })
    }

    /// Writes the file into the tables, and gives the time that took.
    pub(crate) fn run(&self, database: &Database) -> Result<Duration> {
        database.settle()?;
        let begin = Instant::now();
        let done = psql_command(&database.address).arg("--file").arg(&self.script).output()?;
        let took = begin.elapsed();
        ensure!(done.status.success(), "psql: {}", String::from_utf8_lossy(&done.stderr));
        Ok(took)
    }
}
