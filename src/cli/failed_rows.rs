//! The failed rows of a job as a file that can be corrected and imported again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::download::to_file;
use super::exit::UsageFault;
use crate::client::{ClientError, Connection, Standing};

/// The endings that the server writes.
const ENDINGS: [&str; 2] = ["csv", "xlsx"];

/// Refuses a name whose ending is none that the server writes.
pub(super) fn check(path: &Path) -> anyhow::Result<()> {
    if ending(path).is_some() {
        return Ok(());
    }
    let name = path.display();
    Err(UsageFault(format!("`{name}` does not end with .csv or .xlsx")).into())
}

fn ending(path: &Path) -> Option<&'static str> {
    let own = path.extension()?.to_str()?;
    ENDINGS.into_iter().find(|ending| own.eq_ignore_ascii_case(ending))
}

/// The jobs of an import that have failed rows.
pub(super) fn jobs(standing: &Standing) -> Vec<i64> {
    if !standing.is_bulk() {
        let job = standing.data.get("jobId").and_then(serde_json::Value::as_i64);
        return job.filter(|_| standing.failed() > 0).into_iter().collect();
    }
    let failed = standing
        .files()
        .filter(|file| file.get("errorCount").and_then(serde_json::Value::as_u64) > Some(0));
    failed.filter_map(|file| file.get("jobId")?.as_i64()).collect()
}

/// Writes the failed rows of every job of an import, and gives the files. One job writes `path`;
/// several write one each, with the number of the job before the ending. Where no row failed, a file
/// of an earlier run is removed: it would be taken for one of this run.
pub(super) async fn write(
    connection: &Connection,
    standing: &Standing,
    path: &Path,
) -> Result<Vec<PathBuf>, ClientError> {
    let jobs = jobs(standing);
    if jobs.is_empty() {
        return match fs::remove_file(path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(ClientError::Write { path: path.to_owned(), source })
            }
            _ => Ok(Vec::new()),
        };
    }
    let mut files = Vec::new();
    for job in &jobs {
        let file = if jobs.len() == 1 { path.to_owned() } else { numbered(path, *job) };
        write_one(connection, *job, &file).await?;
        files.push(file);
    }
    Ok(files)
}

/// `bad.csv` gives `bad-7.csv`.
fn numbered(path: &Path, job: i64) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}-{job}.{ending}"))
}

/// Writes the failed rows of a job: whole, or not at all.
pub(super) async fn write_one(
    connection: &Connection,
    job: i64,
    path: &Path,
) -> Result<(), ClientError> {
    let ending = ending(path).unwrap_or("csv");
    let call = format!("/api/v1/import/jobs/{job}/errors.{ending}");
    to_file(connection, &call, path).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_which_file_is_written() {
        assert!(check(Path::new("bad.csv")).is_ok() && check(Path::new("bad.XLSX")).is_ok());
        assert!(check(Path::new("bad.txt")).is_err() && check(Path::new("bad")).is_err());
        assert_eq!(numbered(Path::new("out/bad.csv"), 7), Path::new("out/bad-7.csv"));
    }
}
