//! What the words of a command line stand for: files, folders, patterns, addresses, standard input.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use tempfile::NamedTempFile;

use super::exit::UsageFault;
use crate::client::{UploadFile, UploadSource};

/// The word for standard input.
const STANDARD_INPUT: &str = "-";

/// The beginnings of addresses.
const SCHEMES: [&str; 3] = ["http://", "https://", "s3://"];

/// What is imported.
#[derive(Debug)]
pub(super) struct Sources {
    /// The files or addresses.
    pub(super) source: UploadSource,
    /// Bytes of the files.
    pub(super) bytes: u64,
    /// What came from standard input, until it is sent.
    _spooled: Option<NamedTempFile>,
}

impl Sources {
    /// True when there is nothing to import.
    pub(super) fn is_empty(&self) -> bool {
        match &self.source {
            UploadSource::Files(files) => files.is_empty(),
            UploadSource::Addresses(urls) => urls.is_empty(),
        }
    }

    /// Finds what the words stand for. `name` is what the server sees of a single file.
    pub(super) fn of(words: &[String], name: Option<&str>) -> anyhow::Result<Self> {
        let is_address = |word: &&String| SCHEMES.iter().any(|scheme| word.starts_with(scheme));
        let addresses: Vec<String> = words.iter().filter(is_address).cloned().collect();
        if !addresses.is_empty() {
            if addresses.len() < words.len() {
                let fault = "files and addresses are imported by two commands";
                return Err(UsageFault(fault.to_owned()).into());
            }
            let source = UploadSource::Addresses(addresses);
            return Ok(Self { source, bytes: 0, _spooled: None });
        }
        let (mut files, mut spooled) = (Vec::new(), None);
        for word in words {
            if word == STANDARD_INPUT {
                anyhow::ensure!(spooled.is_none(), UsageFault("`-` may stand once".to_owned()));
                let file = spooled.insert(spool()?);
                let name = "stdin".to_owned();
                files.push(UploadFile { path: file.path().to_owned(), name });
            } else {
                files.extend(named(word)?.into_iter().map(|path| UploadFile {
                    name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                    path,
                }));
            }
        }
        match (name, files.as_mut_slice()) {
            (Some(name), [file]) => name.clone_into(&mut file.name),
            (Some(_), [_, ..]) => {
                return Err(UsageFault("--name is for a single file".to_owned()).into());
            }
            _ => {}
        }
        let sizes = files.iter().map(|file| Ok(fs::metadata(&file.path)?.len()));
        let bytes = sizes.sum::<io::Result<u64>>()?;
        Ok(Self { source: UploadSource::Files(files), bytes, _spooled: spooled })
    }
}

/// The files that a word names.
fn named(word: &str) -> anyhow::Result<Vec<PathBuf>> {
    let path = Path::new(word);
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => folder(path),
        // A pipe that the shell made, such as <(command), is no file that can be sent twice.
        Ok(found) if !found.is_file() => Err(UsageFault(format!(
            "`{word}` is not a file; give its content to standard input and write `-`"
        ))
        .into()),
        Ok(_) => Ok(vec![path.to_owned()]),
        Err(_) if word.contains(['*', '?', '[']) => matching(word),
        Err(fault) => Err(UsageFault(format!("`{word}`: {fault}")).into()),
    }
}

/// The files of a folder by name, without hidden ones and without those of its folders.
fn folder(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let fault = |fault: io::Error| UsageFault(format!("`{}`: {fault}", path.display()));
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        if !is_hidden && entry.path().is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// The files that a pattern stands for, where the shell did not look itself.
fn matching(pattern: &str) -> anyhow::Result<Vec<PathBuf>> {
    let paths = glob::glob(pattern)
        .map_err(|fault| UsageFault(format!("`{pattern}` is not a pattern: {}", fault.msg)))?;
    let mut files = Vec::new();
    for path in paths {
        let path = path.map_err(|fault| UsageFault(fault.to_string()))?;
        if path.is_file() {
            files.push(path);
        }
    }
    Ok(files)
}

/// Keeps standard input in a file: it may have to be sent again, and its size is not known.
fn spool() -> anyhow::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new()
        .prefix("loadbay-stdin-")
        .tempfile()
        .context("cannot keep standard input in a temporary file")?;
    let copied = io::copy(&mut io::stdin().lock(), &mut file);
    copied.and_then(|_| file.flush()).context("cannot keep standard input in a temporary file")?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(sources: &Sources) -> Vec<String> {
        match &sources.source {
            UploadSource::Files(files) => files.iter().map(|file| file.name.clone()).collect(),
            UploadSource::Addresses(urls) => urls.clone(),
        }
    }

    #[test]
    fn folders_and_patterns_stand_for_their_files() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.csv", "a.csv", ".hidden", "c.xlsx"] {
            fs::write(folder.path().join(name), "12345").unwrap();
        }
        fs::create_dir(folder.path().join("done")).unwrap();
        let path = folder.path().to_str().unwrap().to_owned();
        let all = Sources::of(std::slice::from_ref(&path), None).unwrap();
        assert_eq!(
            (names(&all), all.bytes),
            (vec!["a.csv".into(), "b.csv".into(), "c.xlsx".into()], 15)
        );
        let some = Sources::of(&[format!("{path}/*.csv")], None).unwrap();
        assert_eq!(names(&some), ["a.csv", "b.csv"]);
        assert!(Sources::of(&[format!("{path}/*.ods")], None).unwrap().is_empty());
        let one = Sources::of(&[format!("{path}/a.csv")], Some("prices.csv")).unwrap();
        assert_eq!(names(&one), ["prices.csv"]);
    }

    #[test]
    fn what_cannot_be_imported_together_is_refused() {
        let words =
            |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let urls = words(&["https://a.example/x.csv", "s3://bucket/y.csv"]);
        assert_eq!(names(&Sources::of(&urls, None).unwrap()), urls);
        assert!(Sources::of(&words(&["https://a.example/x.csv", "-"]), None).is_err());
        assert!(Sources::of(&words(&["no-such-file.csv"]), None).is_err());
        assert!(Sources::of(&words(&["/dev/null"]), None).is_err());
    }
}
