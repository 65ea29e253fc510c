//! Archives as they come, and as an attacker makes them.

use std::io::Write;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;
use crate::domain::limits::ARCHIVE_FREE_BYTES;

const LIMIT: u64 = 64 << 20;

fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(io::Cursor::new(Vec::new()));
    for (name, content) in files {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        writer.start_file(*name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// What is inside: each file as text or with its code, or the code of the whole.
type Inside = Result<Option<Vec<(String, String)>>, &'static str>;

#[expect(clippy::unwrap_in_result, reason = "what the disk refuses is no result of a test")]
fn unpack(bytes: &[u8], limit: u64) -> Inside {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = Arc::new(DataDir::open(dir.path()).unwrap());
    let upload = data_dir.copy(bytes, u64::MAX).unwrap();
    let unpacked = data_dir.unpack(&upload, limit).map_err(|fault| fault.code().as_str())?;
    let text = |(name, file): ArchivedFile| {
        let text = file.map_or_else(
            |fault| fault.code().as_str().to_owned(),
            |file| std::fs::read_to_string(&file.path).unwrap(),
        );
        (name, text)
    };
    Ok(unpacked.map(|files| files.into_iter().map(text).collect()))
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    let owned = pairs.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned()));
    owned.collect()
}

#[test]
fn files_come_in_their_order_without_folders_and_what_systems_add() {
    let bytes = packed(&[
        ("b.csv", b"2"),
        ("folder/", b""),
        ("folder/../../a.csv", b"1"),
        ("__MACOSX/b.csv", b"x"),
        (".DS_Store", b"x"),
    ]);
    let expected = pairs([("b.csv", "2"), ("folder/../../a.csv", "1")]);
    assert_eq!(unpack(&bytes, LIMIT), Ok(Some(expected)));
}

#[test]
fn what_is_no_archive_of_files_is_none() {
    assert_eq!(unpack(b"SKU,Name\n", LIMIT).unwrap(), None);
    let workbook = packed(&[("[Content_Types].xml", b"<Types/>"), ("xl/workbook.xml", b"<w/>")]);
    assert_eq!(unpack(&workbook, LIMIT).unwrap(), None);
}

#[test]
fn bytes_are_counted_whatever_the_archive_says() {
    let bomb = vec![b'a'; usize::try_from(ARCHIVE_FREE_BYTES + 1).unwrap()];
    let bytes = packed(&[("bomb.csv", &bomb), ("good.csv", b"1")]);
    let expected = pairs([("bomb.csv", "expands_too_large"), ("good.csv", "1")]);
    assert_eq!(unpack(&bytes, LIMIT), Ok(Some(expected)));
    let bytes = packed(&[("a.csv", b"12345"), ("b.csv", b"123456"), ("c.csv", b"1")]);
    let expected = pairs([("a.csv", "12345"), ("b.csv", "too_large"), ("c.csv", "1")]);
    assert_eq!(unpack(&bytes, 10), Ok(Some(expected)));
}

#[test]
fn a_broken_or_overfull_archive_is_refused() {
    let bytes = packed(&[("a.csv", b"1")]);
    let cut = bytes.get(..bytes.len() - 30).unwrap();
    assert_eq!(unpack(cut, LIMIT), Err("corrupt_archive"));
    let names: Vec<String> = (0..=BULK_FILES_MAX).map(|number| format!("{number}.csv")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"1"[..])).collect();
    assert_eq!(unpack(&packed(&files), LIMIT), Err("too_many_files"));
    // A directory that is somewhere else than its end says.
    let shifted = [b"PK\x03\x04junk", bytes.as_slice()].concat();
    assert_eq!(unpack(&shifted, LIMIT), Err("corrupt_archive"));
}

#[test]
fn a_file_with_a_wrong_checksum_is_refused_in_its_place() {
    let mut bytes = packed(&[("a.csv", b"123456"), ("b.csv", b"1")]);
    let at = memchr::memmem::find(&bytes, b"a.csv").unwrap() + 6;
    bytes[at] ^= 0x55;
    let found = unpack(&bytes, LIMIT).unwrap().unwrap();
    assert_eq!(found[0].1, "corrupt_archive");
    assert_eq!(found[1], ("b.csv".to_owned(), "1".to_owned()));
}
