//! Measures Loadbay against hand-written SQL: generates product files, writes the same rows into
//! the same tables by hand and by Loadbay in the same run, and prints one table.
//!
//! `cargo build --release && cargo run --release -p bench` measures everything; `--help` says how
//! to measure less. It listens and connects on the loopback only.

mod bulk;
mod cgroup;
mod files;
mod fleet;
mod http;
mod postgres;
mod product;
mod reading;
mod report;
mod server;
mod small_jobs;
mod sqlite;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use clap::{Parser, ValueEnum};

use files::{BenchFile, Content, Format};
use report::Measured;
use server::{Listeners, Server};

/// Measures Loadbay against hand-written SQL.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Rows of each file.
    #[arg(long, default_value_t = 700_000, value_parser = clap::value_parser!(u32).range(4..=5_000_000))]
    rows: u32,
    /// The databases to measure.
    #[arg(long, value_enum, default_value_t = Databases::Both)]
    database: Databases,
    /// Runs of each side; the table shows medians.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=25))]
    runs: u32,
    /// The formats to measure, separated by commas.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Format::Csv, Format::XlsxShared, Format::XlsxInline])]
    formats: Vec<Format>,
    /// Rows of a chunk on the side of the limit.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    chunk_rows: u32,
    /// The server's binary; by default `loadbay` beside this program.
    #[arg(long)]
    server: Option<PathBuf>,
    /// Measure only reading and the limit, on tables like those that Loadbay makes.
    #[arg(long, conflicts_with = "server")]
    limits_only: bool,
    /// A PostgreSQL cluster to use, such as `postgres://user:password@127.0.0.1:5432/postgres`.
    #[arg(long)]
    postgres: Option<String>,
    /// Start a private PostgreSQL cluster with 1 GB of shared buffers, 4 GB of WAL between
    /// checkpoints, and fsync on. That is what happens without --postgres, too.
    #[arg(long, conflicts_with = "postgres")]
    private_postgres: bool,
    /// Import once more with so many listeners that hear progress.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    listeners: u32,
    /// Import once more with a listener that hears what becomes of every row.
    #[arg(long)]
    every_row: bool,
    /// Measure only so many files over one server and over two, on PostgreSQL and a shared folder.
    #[arg(long, conflicts_with = "limits_only", value_parser = clap::value_parser!(u32).range(2..=10_000))]
    fleet: Option<u32>,
    /// Measure only how fast so many files of three rows are loaded.
    #[arg(long, conflicts_with_all = ["limits_only", "fleet"], value_parser = clap::value_parser!(u32).range(2..=10_000))]
    small_jobs: Option<u32>,
    /// Measure only the rows in one file against the same rows in so many files of one upload.
    #[arg(long, conflicts_with_all = ["limits_only", "fleet", "small_jobs"], value_parser = clap::value_parser!(u32).range(2..=1_000))]
    bulk: Option<u32>,
    /// Run the servers of --bulk in a cgroup with so many MB of memory; needs the rights of root.
    #[arg(long, requires = "bulk", value_parser = clap::value_parser!(u64).range(16..))]
    memory_limit: Option<u64>,
    /// Where the generated files are kept.
    #[arg(long, default_value = "target/bench")]
    cache: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Databases {
    Sqlite,
    Postgres,
    Both,
}

/// What all measurements need.
struct Bench {
    arguments: Arguments,
    /// The cache folder, absolute.
    cache: PathBuf,
    /// The server's binary, unless only the limits are measured.
    binary: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    fs::create_dir_all(&arguments.cache)?;
    let cache = arguments.cache.canonicalize()?;
    let binary = if arguments.limits_only { None } else { Some(server_binary(&arguments)?) };
    let bench = Bench { arguments, cache, binary };
    if let Some(files) = bench.arguments.fleet {
        return bench.fleet(files);
    }
    if let Some(jobs) = bench.arguments.small_jobs {
        return bench.small_jobs(jobs);
    }
    if let Some(files) = bench.arguments.bulk {
        return bench.bulk(files);
    }
    let mut measured = Vec::new();
    if bench.arguments.database != Databases::Postgres {
        measured.extend(bench.sqlite()?);
    }
    if bench.arguments.database != Databases::Sqlite {
        measured.extend(bench.postgres()?);
    }
    writeln!(std::io::stdout(), "{}", report::table(&measured))?;
    Ok(())
}

fn server_binary(arguments: &Arguments) -> Result<PathBuf> {
    let path = match &arguments.server {
        Some(path) => path.clone(),
        None => std::env::current_exe()?.with_file_name("loadbay"),
    };
    path.canonicalize().with_context(|| {
        format!(
            "there is no {}; build it with `cargo build --release`, name it with --server, or \
             measure with --limits-only",
            path.display()
        )
    })
}

/// Says on the error stream how far it is; the table alone goes to the output.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

impl Bench {
    /// The fresh and the update file of each format; reading each alone is measured here.
    fn files(&self, database: &'static str) -> Result<Vec<[Measured; 2]>> {
        let mut all = Vec::new();
        for format in &self.arguments.formats {
            let measured = |content: Content| -> Result<Measured> {
                let file = files::file(&self.cache, content, *format, self.arguments.rows)?;
                let reading = (0..self.arguments.runs).map(|_| reading::read(&file));
                let reading = reading.collect::<Result<Vec<_>>>()?;
                Ok(Measured {
                    database,
                    file,
                    reading,
                    limit: Vec::new(),
                    imports: Vec::new(),
                    heard: Vec::new(),
                })
            };
            all.push([measured(Content::Fresh)?, measured(Content::Update)?]);
        }
        Ok(all)
    }

    /// The CSV files with the same rows: what the limit reads, whatever Loadbay reads.
    fn csv_files(&self) -> Result<[BenchFile; 2]> {
        let file = |content| files::file(&self.cache, content, Format::Csv, self.arguments.rows);
        Ok([file(Content::Fresh)?, file(Content::Update)?])
    }

    /// Checks that the tables hold what the two files make.
    fn check(&self, content: Content, (products, history): (u64, u64)) -> Result<()> {
        let rows = u64::from(self.arguments.rows);
        let (created, changed) = Content::Update.expected(self.arguments.rows);
        let expected = match content {
            Content::Fresh => (rows, 2 * rows),
            Content::Update => {
                let products = rows + u64::from(created);
                // Each changed product has one old record, of its price or of its stock.
                (products, 2 * products + u64::from(changed))
            }
        };
        ensure!(
            (products, history) == expected,
            "after the {} file there are {products} products and {history} records of history, \
             and there should be {expected:?}",
            content.as_str()
        );
        Ok(())
    }

    fn sqlite(&self) -> Result<Vec<Measured>> {
        let work = tempfile::tempdir_in(&self.cache)?;
        let template = work.path().join("template.sqlite");
        match &self.binary {
            Some(binary) => {
                let data = work.path().join("template");
                Server::start(binary, &data, None)?.stop()?;
                sqlite::copy(&server::database_file(&data)?, &template)?;
            }
            None => sqlite::make_tables(&template)?,
        }
        let csv = self.csv_files()?;
        let mut all = self.files("SQLite")?;
        for run in 0..self.arguments.runs {
            for pair in &mut all {
                let folder = tempfile::tempdir_in(&self.cache)?;
                let database = folder.path().join("limit.sqlite");
                sqlite::copy(&template, &database)?;
                for (measured, file) in pair.iter_mut().zip(&csv) {
                    let took = sqlite::limit(&database, file, self.arguments.chunk_rows)?;
                    self.check(file.content, sqlite::row_counts(&database)?)?;
                    say(&format!("run {run}: limit {:?} {took:.2?}", file.content));
                    measured.limit.push(took);
                }
                for listeners in self.rounds() {
                    let data = folder.path().join(if listeners.any() { "heard" } else { "data" });
                    for measured in pair.iter_mut() {
                        self.import(run, measured, &data, None, listeners)?;
                        let counts = sqlite::row_counts(&server::database_file(&data)?)?;
                        self.check(measured.file.content, counts)?;
                    }
                }
            }
        }
        Ok(all.into_iter().flatten().collect())
    }

    fn postgres(&self) -> Result<Vec<Measured>> {
        let own = match &self.arguments.postgres {
            Some(_) => None,
            None => Some(postgres::Cluster::start()?),
        };
        let given = self.arguments.postgres.as_deref();
        let cluster = own.as_ref().map(|own| own.address.as_str()).or(given).unwrap_or_default();
        let database = postgres::Database::create(cluster)?;
        let work = tempfile::tempdir_in(&self.cache)?;
        match &self.binary {
            Some(binary) => {
                let data = work.path().join("template");
                Server::start(binary, &data, Some(&database.address))?.stop()?;
            }
            None => database.make_tables()?,
        }
        let mut limits = Vec::new();
        for file in self.csv_files()? {
            let limit = postgres::Limit::prepare(&file, self.arguments.chunk_rows, work.path())?;
            limits.push((file.content, limit));
        }
        let mut all = self.files("PostgreSQL")?;
        for run in 0..self.arguments.runs {
            for pair in &mut all {
                database.empty()?;
                for (measured, (content, limit)) in pair.iter_mut().zip(&limits) {
                    let took = limit.run(&database)?;
                    self.check(*content, database.row_counts()?)?;
                    say(&format!("run {run}: limit {content:?} {took:.2?}"));
                    measured.limit.push(took);
                }
                let folder = tempfile::tempdir_in(&self.cache)?;
                for listeners in self.rounds() {
                    database.empty()?;
                    for measured in pair.iter_mut() {
                        database.settle()?;
                        let data = folder.path().join("data");
                        let address = Some(database.address.as_str());
                        self.import(run, measured, &data, address, listeners)?;
                        self.check(measured.file.content, database.row_counts()?)?;
                    }
                }
            }
        }
        Ok(all.into_iter().flatten().collect())
    }

    /// One server against two, in turn; prints each run and the medians.
    fn fleet(&self, files: u32) -> Result<()> {
        let own = match &self.arguments.postgres {
            Some(_) => None,
            None => Some(postgres::Cluster::start()?),
        };
        let given = self.arguments.postgres.as_deref();
        let cluster = own.as_ref().map(|own| own.address.as_str()).or(given).unwrap_or_default();
        let binary = self.binary.as_deref().context("the server's binary")?;
        let rows = self.arguments.rows;
        let fleet = fleet::Fleet { binary, cache: &self.cache, cluster, files, rows };
        let mut times = [Vec::new(), Vec::new()];
        for run in 0..self.arguments.runs {
            for (servers, times) in (1..).zip(&mut times) {
                let took = fleet.run(servers)?;
                say(&format!(
                    "run {run}: {files} files, {rows} rows, {servers} server(s) {took:.2?}"
                ));
                times.push(took);
            }
        }
        let [one, two] = times.map(|times| report::median(times).unwrap_or_default());
        let ratio = one.as_secs_f64() / two.as_secs_f64();
        writeln!(
            std::io::stdout(),
            "one server {one:.2?}, two servers {two:.2?}: {ratio:.2} times"
        )?;
        Ok(())
    }

    /// Files of three rows on each database; prints each run and the median.
    fn small_jobs(&self, jobs: u32) -> Result<()> {
        let binary = self.binary.as_deref().context("the server's binary")?;
        let is_own = self.arguments.postgres.is_none();
        if self.arguments.database != Databases::Postgres {
            self.small_jobs_on("SQLite", jobs, || {
                small_jobs::run(binary, &self.cache, None, jobs)
            })?;
        }
        if self.arguments.database != Databases::Sqlite {
            let own = if is_own { Some(postgres::Cluster::start()?) } else { None };
            let given = self.arguments.postgres.as_deref();
            let cluster =
                own.as_ref().map(|own| own.address.as_str()).or(given).unwrap_or_default();
            self.small_jobs_on("PostgreSQL", jobs, || {
                let database = postgres::Database::create(cluster)?;
                small_jobs::run(binary, &self.cache, Some(&database.address), jobs)
            })?;
        }
        Ok(())
    }

    fn small_jobs_on(
        &self,
        database: &str,
        jobs: u32,
        run: impl Fn() -> Result<std::time::Duration>,
    ) -> Result<()> {
        let mut times = Vec::new();
        for number in 0..self.arguments.runs {
            let took = run()?;
            say(&format!("run {number}: {database}, {jobs} jobs {took:.2?}"));
            times.push(took);
        }
        let median = report::median(times).unwrap_or_default();
        let rate = f64::from(jobs) / median.as_secs_f64();
        writeln!(
            std::io::stdout(),
            "{database}: {jobs} jobs of 3 rows in {median:.2?}, {rate:.1} a second"
        )?;
        Ok(())
    }

    /// One file against a bulk on each database; prints each run and the medians.
    fn bulk(&self, files: u32) -> Result<()> {
        let binary = self.binary.as_deref().context("the server's binary")?;
        let (rows, memory_limit) = (self.arguments.rows, self.arguments.memory_limit);
        let bulk = bulk::Bulk { binary, cache: &self.cache, files, rows, memory_limit };
        if self.arguments.database != Databases::Postgres {
            self.bulk_on("SQLite", &bulk, || Ok(None))?;
        }
        if self.arguments.database != Databases::Sqlite {
            let own = match &self.arguments.postgres {
                Some(_) => None,
                None => Some(postgres::Cluster::start()?),
            };
            let given = self.arguments.postgres.as_deref();
            let cluster =
                own.as_ref().map(|own| own.address.as_str()).or(given).unwrap_or_default();
            let database = || Ok(Some(postgres::Database::create(cluster)?));
            self.bulk_on("PostgreSQL", &bulk, database)?;
        }
        Ok(())
    }

    fn bulk_on(
        &self,
        name: &str,
        bulk: &bulk::Bulk<'_>,
        database: impl Fn() -> Result<Option<postgres::Database>>,
    ) -> Result<()> {
        let (mut one, mut many) = (Vec::new(), Vec::new());
        for run in 0..self.arguments.runs {
            for (is_bulk, seen) in [(false, &mut one), (true, &mut many)] {
                let database = database()?;
                let address = database.as_ref().map(|it| it.address.as_str());
                let took = bulk.run(is_bulk, address)?;
                say(&format!("run {run}: {name}, {took}"));
                seen.push(took);
            }
        }
        let middle = |seen: &[bulk::Timed]| report::median(seen.iter().map(|it| it.took));
        let (one_file, all) = (middle(&one).unwrap_or_default(), middle(&many).unwrap_or_default());
        let peak = one.iter().chain(&many).map(|it| it.server_kib).max().unwrap_or_default();
        let ratio = all.as_secs_f64() / one_file.as_secs_f64();
        let (rows, files) = (bulk.rows, bulk.files);
        writeln!(
            std::io::stdout(),
            "{name}: {rows} rows in one file {one_file:.2?}, in {files} files {all:.2?}: {ratio:.2} \
             times; server peak {} MB",
            peak * 1024 / 1_000_000
        )?;
        Ok(())
    }

    /// Who listens to the imports of one run: first nobody, then those that were asked for.
    fn rounds(&self) -> Vec<Listeners> {
        let Arguments { listeners: progress, every_row, .. } = self.arguments;
        let asked = Listeners { progress, every_row };
        match (&self.binary, asked.any()) {
            (None, _) => Vec::new(),
            (Some(_), false) => vec![Listeners::default()],
            (Some(_), true) => vec![Listeners::default(), asked],
        }
    }

    /// One import by a server of its own, so that its peak memory is that of this file.
    fn import(
        &self,
        run: u32,
        measured: &mut Measured,
        data: &Path,
        database: Option<&str>,
        listeners: Listeners,
    ) -> Result<()> {
        let Some(binary) = &self.binary else { return Ok(()) };
        let server = Server::start(binary, data, database)?;
        let import = server.import(&measured.file, listeners)?;
        server.stop()?;
        say(&format!(
            "run {run}: Loadbay {:?} {} {:.2?}, {} bytes of events",
            measured.file.content,
            measured.file.format.as_str(),
            import.took,
            import.heard
        ));
        if listeners.any() { &mut measured.heard } else { &mut measured.imports }.push(import);
        Ok(())
    }
}
