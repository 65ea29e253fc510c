//! `loadbay man`: the pages of the manual, one a command.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Command};
use clap_mangen::Man;

use super::exit::Exit;

/// Print the page of the manual, or write the pages of all commands to a folder.
#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// The folder for loadbay.1, loadbay-import.1 and so on.
    #[arg(long, value_name = "FOLDER")]
    to: Option<PathBuf>,
}

/// Writes the pages of `command`.
pub(super) fn run(args: &ManArgs, command: Command) -> anyhow::Result<Exit> {
    if let Some(folder) = &args.to {
        let fault = || format!("cannot write the pages to `{}`", folder.display());
        std::fs::create_dir_all(folder).with_context(fault)?;
        clap_mangen::generate_to(command, folder).with_context(fault)?;
        return Ok(Exit::Done);
    }
    let mut page = Vec::new();
    Man::new(command).render(&mut page)?;
    let _ = io::stdout().write_all(&page);
    Ok(Exit::Done)
}
