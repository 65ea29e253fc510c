//! `loadbay convert`: reads a workbook and writes its rows to standard output. The server starts it
//! for each workbook; people have no use for it.

use std::fs::File;
use std::io::{BufWriter, stdout};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use crate::domain::detected::Format;
use crate::reader::workbook::confine::{self, ProcessLimits};
use crate::reader::workbook::{self, ConvertMode, ConvertRequest};
use crate::reader::{self, WorkbookFault};

/// Bytes that are gathered before they are written.
const BUFFER_BYTES: usize = 256 << 10;

/// Arguments of `loadbay convert`.
#[derive(Debug, Args)]
pub(super) struct ConvertArgs {
    /// The workbook.
    #[arg(long)]
    input: PathBuf,
    /// Its format; without it the content decides.
    #[arg(long, value_parser = workbook_format)]
    format: Option<Format>,
    /// Which rows are written.
    #[arg(long, value_enum)]
    mode: ModeArg,
    /// The sheet; `--mode head` looks at every visible one without it.
    #[arg(long)]
    sheet: Option<String>,
    /// The header's row; `--mode head` begins with the first that is not blank without it.
    #[arg(long)]
    header_row: Option<u32>,
    /// Columns of the header, for `--mode all`.
    #[arg(long, default_value_t = 0)]
    columns: usize,
    /// Bytes of memory that may be taken.
    #[arg(long)]
    memory_bytes: u64,
    /// Seconds of processor time that may be taken.
    #[arg(long)]
    cpu_seconds: u64,
    /// Seconds that it may take.
    #[arg(long)]
    wall_seconds: u64,
    /// Bytes that may be written.
    #[arg(long)]
    output_bytes: u64,
    /// The process that this one must not outlive.
    #[arg(long)]
    parent: u32,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ModeArg {
    /// The first rows.
    Head,
    /// Every row after the header.
    All,
}

fn workbook_format(word: &str) -> Result<Format, String> {
    Format::parse(word)
        .filter(|format| reader::is_workbook(*format))
        .ok_or_else(|| format!("`{word}` is not a format of workbooks"))
}

/// Runs the command. A fault is written to standard error as one line of JSON.
pub(super) fn run(args: ConvertArgs) -> ExitCode {
    let limits = ProcessLimits {
        memory_bytes: args.memory_bytes,
        cpu_seconds: args.cpu_seconds,
        wall_seconds: args.wall_seconds,
        output_bytes: args.output_bytes,
        parent: args.parent,
    };
    match confine::confine(limits).and_then(|()| convert(args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            confine::report(&fault);
            ExitCode::from(confine::GAVE_UP)
        }
    }
}

fn convert(args: ConvertArgs) -> Result<(), WorkbookFault> {
    let request = ConvertRequest {
        path: args.input,
        format: args.format,
        mode: match args.mode {
            ModeArg::Head => ConvertMode::Head { sheet: args.sheet, header_row: args.header_row },
            ModeArg::All => ConvertMode::All {
                sheet: args.sheet.unwrap_or_default(),
                header_row: args.header_row.unwrap_or(1),
                columns: args.columns,
            },
        },
    };
    // Standard output as a plain file: the handle of the library would look for line ends.
    let output = stdout()
        .as_fd()
        .try_clone_to_owned()
        .map_err(|error| WorkbookFault::Unreadable { detail: error.to_string() })?;
    workbook::convert(&request, BufWriter::with_capacity(BUFFER_BYTES, File::from(output)))
}
