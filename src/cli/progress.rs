//! How far an upload and its import are: a bar on a terminal, plain lines elsewhere.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::note;
use super::summary::progress_line;
use crate::client::Standing;

/// Between two lines about a job whose status stays the same.
const LINE_PAUSE: Duration = Duration::from_secs(10);

/// Between two pictures of what turns while nothing is known.
const TICK: Duration = Duration::from_millis(120);

const SENDING: &str = "{spinner} Sending {bytes} of {total_bytes} [{bar:30}] {bytes_per_sec}";
const WAITING: &str = "{spinner} {msg}";
const ROWS: &str = "{spinner} {prefix} [{bar:30}] {percent} %  {pos} of {len} rows{msg}";

/// Shows how far an import is.
#[derive(Debug)]
pub(super) enum Progress {
    /// A terminal.
    Bar(ProgressBar),
    /// A log.
    Lines {
        /// The status of the last line, and when it was written.
        last: Option<(String, Instant)>,
    },
    /// Nobody.
    Silent,
}

impl Progress {
    /// A bar where a person looks, lines where a log is kept, nothing where that was asked for.
    pub(super) fn new(is_quiet: bool) -> Self {
        if is_quiet {
            return Self::Silent;
        }
        if !io::stderr().is_terminal() {
            return Self::Lines { last: None };
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.enable_steady_tick(TICK);
        Self::Bar(bar)
    }

    /// Bytes of the files that were sent.
    pub(super) fn sent(&self, sent: u64, total: u64) {
        let Self::Bar(bar) = self else { return };
        if sent < total {
            restyle(bar, SENDING);
            bar.set_length(total);
            bar.set_position(sent);
        } else {
            restyle(bar, WAITING);
            bar.set_message("The server looks at the file");
        }
    }

    /// The job or the bulk changed.
    pub(super) fn changed(&mut self, standing: &Standing) {
        match self {
            Self::Bar(bar) => draw(bar, standing),
            Self::Lines { last } => {
                let is_due = last.as_ref().is_none_or(|(status, at)| {
                    status != standing.status() || at.elapsed() >= LINE_PAUSE
                });
                // How it ended is said by the result.
                if is_due && !standing.is_final() {
                    note(progress_line(standing));
                    *last = Some((standing.status().to_owned(), Instant::now()));
                }
            }
            Self::Silent => {}
        }
    }

    /// Takes the bar away, so that lines can be written.
    pub(super) fn end(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn draw(bar: &ProgressBar, standing: &Standing) {
    let Some(total) = standing.total() else {
        restyle(bar, WAITING);
        bar.set_message(progress_line(standing));
        return;
    };
    restyle(bar, ROWS);
    let eta = standing.number(&["etaSeconds"]);
    let eta = eta.map_or_else(String::new, |eta| format!(", about {eta} s left"));
    let pace = standing.rows_per_second();
    let pace = pace.map_or_else(String::new, |pace| format!(", {pace:.0} rows/s"));
    bar.set_prefix(standing.status().to_owned());
    bar.set_length(total);
    bar.set_position(standing.current());
    bar.set_message(format!("{pace}{eta}"));
}

fn restyle(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_can_be_drawn() {
        for template in [SENDING, WAITING, ROWS] {
            ProgressStyle::with_template(template).unwrap();
        }
    }
}
