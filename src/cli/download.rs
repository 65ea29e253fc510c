//! Files that a command gets from a server: their format, and where they go.

use std::fs;
use std::io::{self, BufWriter};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use clap::ValueEnum;

use crate::client::{ClientError, Connection};

/// The ending of the address to ask: the format that is given, else that of the file's name, else CSV.
pub(super) fn ending<F: ValueEnum>(given: Option<F>, to: Option<&Path>) -> String {
    let of_name = || F::from_str(to?.extension()?.to_str()?, true).ok();
    let format = given.or_else(of_name).and_then(|format| format.to_possible_value());
    format.map_or_else(|| "csv".to_owned(), |format| format.get_name().to_owned())
}

/// Writes the body of an answer to a file, or to standard output.
pub(super) async fn write(
    connection: &Connection,
    call: &str,
    to: Option<&Path>,
) -> Result<(), ClientError> {
    if let Some(path) = to {
        return to_file(connection, call, path).await;
    }
    let fault = |source| ClientError::Write { path: "/dev/stdout".into(), source };
    connection.download(call, &mut io::stdout(), fault).await
}

/// Writes the body of an answer to a file: whole, or not at all.
pub(super) async fn to_file(
    connection: &Connection,
    call: &str,
    path: &Path,
) -> Result<(), ClientError> {
    let fault = |source| ClientError::Write { path: path.to_owned(), source };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let temporary = tempfile::Builder::new()
        .prefix(".loadbay-")
        // As any new file: the mask of the process takes from it.
        .permissions(fs::Permissions::from_mode(0o666))
        .tempfile_in(folder.unwrap_or(Path::new(".")))
        .map_err(fault)?;
    let mut out = BufWriter::new(temporary.as_file());
    connection.download(call, &mut out, fault).await?;
    drop(out);
    temporary.persist(path).map_err(|error| fault(error.error))?;
    Ok(())
}
