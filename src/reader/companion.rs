//! Small files that programs keep beside a workbook. People choose them by mistake.

use super::sniff::{self, Content};

/// The largest of them; those of Excel have 165 bytes.
const BYTES_MAX: u64 = 4096;

/// A file that stands beside the one that was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Companion {
    /// What it is, with its article.
    pub what: &'static str,
    /// The file beside it.
    pub of: String,
}

/// Recognises such a file by its name and its first bytes.
pub(super) fn companion(file_name: &str, head: &[u8], size: u64) -> Option<Companion> {
    let found = |what, of: &str| Some(Companion { what, of: of.to_owned() });
    if size > BYTES_MAX {
        return None;
    }
    if let Some(of) = file_name.strip_prefix("~$") {
        let is_container = matches!(sniff::content(head), Content::Zip | Content::Compound);
        // The length of the user's name, then texts that are filled up with NULs.
        let is_owner_file = head.first().is_some_and(|byte| *byte < 0x20) || head.contains(&0);
        if !is_container && is_owner_file {
            return found("the lock file that Excel keeps beside an open workbook", of);
        }
    }
    let lock = file_name.strip_prefix(".~lock.").and_then(|rest| rest.strip_suffix('#'));
    if let Some(of) = lock {
        return found("the lock file that LibreOffice keeps beside an open file", of);
    }
    if let Some(of) = file_name.strip_prefix("._")
        && head.starts_with(b"\x00\x05\x16\x07")
    {
        return found("the file of attributes that macOS keeps beside a file", of);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, head: &[u8]) -> Option<String> {
        companion(name, head, head.len() as u64).map(|found| found.of)
    }

    #[test]
    fn files_beside_a_workbook_name_it() {
        let mut owner = b"\x05Admin".to_vec();
        owner.resize(55, b' ');
        owner.extend(b"\x05\0A\0d\0m\0i\0n\0");
        owner.resize(165, 0);
        assert_eq!(of("~$products.xlsx", &owner).as_deref(), Some("products.xlsx"));
        let lock = b",me,desk,22.11.2026 12:30,file:///home/me;";
        assert_eq!(of(".~lock.products.ods#", lock).as_deref(), Some("products.ods"));
        let attributes = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X";
        assert_eq!(of("._products.xlsx", attributes).as_deref(), Some("products.xlsx"));
    }

    #[test]
    fn a_file_with_such_a_name_may_be_what_was_meant() {
        for (name, head) in [
            ("~$products.csv", &b"SKU,Name\nA,Arnica\n"[..]),
            ("~$products.xlsx", b"PK\x03\x04\0\0"),
            ("._products.csv", b"SKU,Name\nA,Arnica\n"),
            ("products.xlsx", b"\x05Admin\0"),
        ] {
            assert_eq!(of(name, head), None, "{name}");
        }
        assert_eq!(companion("~$products.xlsx", b"\x05Admin\0", 1 << 20), None);
    }
}
