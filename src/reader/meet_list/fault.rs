//! Why a file is no meet definition list that can be imported, with the line and the element.

use super::elements::VERSIONS;
use crate::domain::row_error::shown;

/// A fault of the list as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MeetListFault {
    /// The file is larger than such lists are.
    #[error("a meet definition list has at most {bytes_max} bytes, and this file has more")]
    TooLong {
        /// Bytes at most.
        bytes_max: u64,
    },
    /// The first element is another one, or there is none.
    #[error(
        "line {line}: the first element must be FORMAT, such as `FORMAT:Wettkampfdefinitionsliste;7;`"
    )]
    NoFormat {
        /// The line of the first element.
        line: u64,
    },
    /// Another list of the standard.
    #[error(
        "line {line}, FORMAT: the list is a `{}`; the server reads the Wettkampfdefinitionsliste, \
         which a meeting sends out before it takes place",
        shown(list)
    )]
    OtherList {
        /// Its line.
        line: u64,
        /// The list's name.
        list: String,
    },
    /// Another format of the standard.
    #[error(
        "line {line}, FORMAT: the version is `{}`; the server reads the formats {} to {}",
        shown(version),
        VERSIONS.start(),
        VERSIONS.end()
    )]
    Version {
        /// Its line.
        line: u64,
        /// What stands there.
        version: String,
    },
    /// Two lists in one file.
    #[error("line {line}, FORMAT: a second list begins here; send each list in a file of its own")]
    SecondFormat {
        /// Its line.
        line: u64,
    },
    /// The end is missing.
    #[error(
        "line {line}: the file ends without DATEIENDE, so a part of it may be missing; send the \
         whole file"
    )]
    NoEnd {
        /// The last line with an element.
        line: u64,
    },
    /// Elements that every list has are missing.
    #[error("line {line}: the list ends without {}; every meet definition list has it", .elements.join(", "))]
    Missing {
        /// The line of the end.
        line: u64,
        /// Their names.
        elements: Vec<&'static str>,
    },
    /// `.DSV8z`: the archive does not hold one file.
    #[error("the archive holds {files} files; a DSV8z archive holds exactly one")]
    NotOneFile {
        /// Files in the archive.
        files: usize,
    },
    /// `.DSV8z`: the archive is damaged.
    #[error("the archive cannot be read: {detail}")]
    Archive {
        /// What was found.
        detail: String,
    },
}
