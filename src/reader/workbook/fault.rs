//! How an error of a library or of the system becomes a fault of the workbook.

use std::fmt::Display;

use crate::reader::error::WorkbookFault;

/// A fault of the content, in the words of the library that found it.
pub(super) fn corrupt(detail: impl Display) -> WorkbookFault {
    WorkbookFault::Corrupt { detail: detail.to_string() }
}

/// An answer of the system while the workbook was read.
pub(super) fn unreadable(error: impl Display) -> WorkbookFault {
    WorkbookFault::Unreadable { detail: error.to_string() }
}

/// An answer of the system while the converted rows were written.
pub(super) fn not_written(error: std::io::Error) -> WorkbookFault {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    let kind = error.kind();
    if kind == StorageFull || kind == QuotaExceeded {
        WorkbookFault::DiskFull
    } else if kind == FileTooLarge {
        WorkbookFault::Expands { detail: error.to_string() }
    } else {
        unreadable(error)
    }
}
