//! Every place at which the server can be made to fail, and how: the table that the test goes
//! through. Knows nothing of servers.

use std::fmt;

use super::grounds::{Subject, Work};

/// What goes on when the place is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum During {
    /// The import of a text file, or its upload.
    Import,
    /// The import of a workbook.
    Workbook,
    /// An import that is stopped by SIGTERM.
    Stop,
    /// An import that finds no room on its disk.
    Full,
    /// An import that is paused and resumed.
    Control,
    /// An import of a whole file or nothing.
    WholeFile,
    /// An import that is taken back.
    Rollback,
}

impl During {
    /// What the job does.
    pub(super) fn work(self) -> Work {
        match self {
            Self::Import | Self::Workbook | Self::Stop | Self::Full | Self::Control => Work::Import,
            Self::WholeFile => Work::WholeFile,
            Self::Rollback => Work::Rollback,
        }
    }
}

/// A place of `faults`, and the how-manieth time it fails.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) name: &'static str,
    pub(crate) time: u32,
    pub(crate) during: During,
    pub(super) subject: Subject,
}

const fn place(name: &'static str, time: u32, during: During) -> Place {
    Place { name, time, during, subject: Subject::Products }
}

/// While lists are written into a join table.
const fn of_lists(name: &'static str, time: u32, during: During) -> Place {
    Place { name, time, during, subject: Subject::Goods }
}

/// All places, in the order in which a job comes through them.
pub(crate) const PLACES: [Place; 58] = [
    place("receive.written", 1, During::Import),
    place("receive.durable", 1, During::Import),
    place("submit.before", 1, During::Import),
    place("submit.after", 1, During::Import),
    place("answer.before", 1, During::Import),
    place("claim.after", 1, During::Import),
    place("open.after", 1, During::Import),
    place("convert.before", 1, During::Workbook),
    place("prescan.after", 1, During::Import),
    place("total.before", 1, During::Import),
    place("total.after", 1, During::Import),
    place("chunker.begin", 1, During::Import),
    place("chunk.begin", 3, During::Import),
    place("chunk.rows", 3, During::Import),
    place("chunk.record", 3, During::Import),
    place("chunk.failed_rows", 3, During::Import),
    place("chunk.commit", 3, During::Import),
    place("chunk.committed", 3, During::Import),
    place("partition.after", 3, During::Import),
    place("finish.before", 1, During::Import),
    place("finish.after", 1, During::Import),
    place("renew.before", 1, During::Import),
    place("release.before", 1, During::Stop),
    place("release.after", 1, During::Stop),
    place("room.after", 1, During::Full),
    place("control.before", 1, During::Control),
    place("control.after", 1, During::Control),
    place("whole_file.rows", 3, During::WholeFile),
    place("whole_file.commit", 1, During::WholeFile),
    place("whole_file.committed", 1, During::WholeFile),
    place("rollback.locked", 1, During::Rollback),
    place("submit.before", 1, During::Rollback),
    place("submit.after", 1, During::Rollback),
    place("claim.after", 1, During::Rollback),
    place("total.before", 1, During::Rollback),
    place("total.after", 1, During::Rollback),
    place("chunk.begin", 3, During::Rollback),
    place("chunk.rows", 3, During::Rollback),
    place("chunk.record", 3, During::Rollback),
    place("chunk.failed_rows", 3, During::Rollback),
    place("chunk.commit", 3, During::Rollback),
    place("chunk.committed", 3, During::Rollback),
    place("partition.after", 3, During::Rollback),
    place("finish.before", 1, During::Rollback),
    place("finish.after", 1, During::Rollback),
    place("renew.before", 1, During::Rollback),
    of_lists("chunk.rows", 3, During::Import),
    of_lists("chunk.record", 3, During::Import),
    of_lists("chunk.commit", 3, During::Import),
    of_lists("chunk.committed", 3, During::Import),
    of_lists("finish.before", 1, During::Import),
    of_lists("whole_file.rows", 3, During::WholeFile),
    of_lists("whole_file.commit", 1, During::WholeFile),
    of_lists("whole_file.committed", 1, During::WholeFile),
    of_lists("chunk.rows", 3, During::Rollback),
    of_lists("chunk.record", 3, During::Rollback),
    of_lists("chunk.commit", 3, During::Rollback),
    of_lists("chunk.committed", 3, During::Rollback),
];

/// How a place fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// An error of its layer.
    Error,
    Panic,
    /// The process ends on the spot.
    Abort,
    /// Longer than the lease, which is not renewed meanwhile.
    Sleep,
}

pub(crate) const HOW: [How; 4] = [How::Error, How::Panic, How::Abort, How::Sleep];

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) place: Place,
    pub(crate) how: How,
}

impl Case {
    /// All of them.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let all = PLACES.into_iter().flat_map(|place| HOW.map(|how| Self { place, how }));
        all.filter(|case| case.place.during != During::Rollback || case.is_of_a_rollback())
            .filter(|case| case.place.subject == Subject::Products || case.is_of_lists())
    }

    /// What a job with lists shares with others fails in all ways there.
    fn is_of_lists(&self) -> bool {
        matches!(self.how, How::Error | How::Abort)
    }

    /// What a rollback shares with an import fails in the other ways there. In this one it must find
    /// the way back to its checkpoint.
    fn is_of_a_rollback(&self) -> bool {
        let has_own = ["rollback.", "chunk.", "partition."].iter();
        let mut has_own = has_own.filter(|own| self.place.name.starts_with(**own));
        match has_own.next() {
            Some(own) => self.how != How::Sleep || *own == "chunk.",
            None => self.how == How::Abort,
        }
    }

    /// The value of `FAILPOINTS`.
    pub(crate) fn failpoints(&self) -> String {
        let Place { name, time, during, .. } = self.place;
        let action = match self.how {
            How::Error => "return",
            How::Panic => "panic",
            How::Abort => "return(abort)",
            How::Sleep => "sleep(1500)",
        };
        let before = if time > 1 { format!("{}*off->", time - 1) } else { String::new() };
        let mut points = format!("{name}={before}1*{action}->off");
        match during {
            During::Import | During::Workbook | During::WholeFile | During::Rollback => {}
            // Slow enough to be stopped in its middle.
            During::Stop | During::Control => points.push_str(";chunk.begin=sleep(1500)"),
            During::Full => points.push_str(";chunk.disk_full=1*return->off"),
        }
        if self.how == How::Sleep && name != "renew.before" {
            // Tried three times in a lease: by then it has run out.
            points.push_str(";renew.before=5*return->off");
        }
        points
    }

    /// `LOADBAY_LEASE`: short where it must run out, and long where nothing may wait for that.
    pub(crate) fn lease(&self) -> &'static str {
        match (self.how, self.place.name) {
            (How::Sleep, _) => "1s",
            _ => "1h",
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { name, during, subject, .. } = self.place;
        write!(f, "{:?} at {name} during {during:?} of {subject:?}", self.how)
    }
}
