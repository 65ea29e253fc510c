//! `loadbay doctor`: what keeps a server from working, and how to mend it.

use clap::Args;
use serde_json::{Value, json};

use super::exit::Exit;
use super::local::{SettingsArgs, runtime};
use super::output::{plain, print, print_json};
use crate::app::{self, Finding, Gravity};

/// Look at everything that a server with these settings needs, and say how to mend what is wrong. Changes
/// nothing; ends with 1 when something is bad.
#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: SettingsArgs,
}

/// Runs the command.
pub(super) fn run(args: &DoctorArgs) -> anyhow::Result<Exit> {
    let config = args.settings.read()?;
    let findings = runtime()?.block_on(app::examine(&config));
    if args.json {
        print_json(&Value::Array(findings.iter().map(as_json).collect()));
    } else {
        findings.iter().for_each(tell);
    }
    let is_bad = findings.iter().any(|finding| finding.gravity == Gravity::Bad);
    Ok(if is_bad { Exit::Fault } else { Exit::Done })
}

fn word(gravity: Gravity) -> &'static str {
    match gravity {
        Gravity::Good => "ok",
        Gravity::Doubtful => "look",
        Gravity::Bad => "bad",
    }
}

fn tell(finding: &Finding) {
    let state = word(finding.gravity).to_uppercase();
    let what = plain(&finding.what);
    let line = if finding.gravity == Gravity::Good {
        format!("ok    {:<12} {what}", finding.part)
    } else {
        format!("{state:<5} {:<12} {what}\n{:>19}to mend: {}", finding.part, "", finding.mend)
    };
    print(line);
}

fn as_json(finding: &Finding) -> Value {
    let mend = (!finding.mend.is_empty()).then_some(&finding.mend);
    let state = word(finding.gravity);
    json!({"part": finding.part, "state": state, "found": finding.what, "mend": mend})
}
