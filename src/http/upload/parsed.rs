//! What the body of an upload gave, whichever shape it had.

use std::sync::Arc;

use crate::dataset::model::Dataset;
use crate::domain::options::Options;
use crate::files::{DataDir, TempUpload, shown_name};
use crate::http::problem::Problem;
use crate::jobs::ImportRequest;

/// The file and the options of a body.
#[derive(Debug)]
pub(in crate::http) struct ParsedUpload {
    /// The file; removed again unless it is stored.
    pub(super) upload: TempUpload,
    pub(super) file_name: Option<String>,
    /// The media type that the client named.
    pub(super) media_type: Option<String>,
    /// The options of the upload.
    pub(in crate::http) options: Options,
}

/// A file of a body.
#[derive(Debug)]
pub(in crate::http) struct ReceivedFile {
    /// The file; removed again unless it is stored.
    pub(super) upload: TempUpload,
    pub(super) file_name: Option<String>,
    /// The media type that the client named.
    pub(super) media_type: Option<String>,
}

/// The files and the options of a body.
#[derive(Debug)]
pub(in crate::http) struct ParsedFiles {
    /// At least one file.
    pub(in crate::http) files: Vec<ReceivedFile>,
    /// The options of all files.
    pub(in crate::http) options: Options,
    /// What else the body says: the fields that only its address takes.
    pub(in crate::http) fields: Fields,
}

/// Fields of a body that are no options, by name.
#[derive(Debug, Default)]
pub(in crate::http) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Takes the fields called `own` out of `pairs`.
    pub(super) fn taken_from(pairs: &mut Vec<(String, String)>, own: &[&str]) -> Self {
        Self(pairs.extract_if(.., |(name, _)| own.contains(&name.as_str())).collect())
    }

    pub(super) fn append(&mut self, mut more: Self) {
        self.0.append(&mut more.0);
    }

    /// The first value of `name`, without blanks around it; none when that leaves nothing.
    pub(in crate::http) fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(given, _)| given == name)?;
        Some(value.trim()).filter(|value| !value.is_empty())
    }
}

impl Fields {
    /// A field that is `true` or `false`; without it false.
    pub(in crate::http) fn flag(&self, name: &str) -> Result<bool, Problem> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(Problem::invalid_parameter(name, other, "true or false")),
        }
    }
}

impl ParsedFiles {
    /// The file, when there is one and no more.
    pub(in crate::http) fn single(mut self) -> Option<ParsedUpload> {
        let file = self.files.pop().filter(|_| self.files.is_empty())?;
        Some(file.with_options(self.options))
    }
}

impl From<ParsedUpload> for ParsedFiles {
    fn from(parsed: ParsedUpload) -> Self {
        let ParsedUpload { upload, file_name, media_type, options } = parsed;
        let files = vec![ReceivedFile { upload, file_name, media_type }];
        Self { files, options, fields: Fields::default() }
    }
}

impl ReceivedFile {
    /// The file as an upload of its own.
    pub(super) fn with_options(self, options: Options) -> ParsedUpload {
        let Self { upload, file_name, media_type } = self;
        ParsedUpload { upload, file_name, media_type, options }
    }
}

impl ParsedUpload {
    /// The file as something to import into `dataset`, by nobody in particular.
    pub(in crate::http) fn into_request(self, dataset: Arc<Dataset>) -> ImportRequest {
        let media_type = self.media_type.as_deref();
        let file_name = shown_name(self.file_name.as_deref(), &dataset.name, media_type);
        ImportRequest {
            dataset,
            upload: self.upload,
            file_name,
            media_type: self.media_type,
            options: self.options,
            idempotency_key: None,
            created_by: None,
            trace: None,
        }
    }
}

/// The folder for the bytes, and their limit.
#[derive(Debug, Clone, Copy)]
pub(super) struct UploadTarget<'a> {
    pub(super) data_dir: &'a Arc<DataDir>,
    pub(super) limit: u64,
    /// `Content-Length`.
    pub(super) announced: Option<u64>,
    /// Files at most.
    pub(super) files_max: usize,
    /// Fields that are no options and mean something to the address.
    pub(super) own_fields: &'a [&'a str],
    /// The encoding that a guess at a name prefers.
    pub(super) home_encoding: Option<&'a str>,
}
