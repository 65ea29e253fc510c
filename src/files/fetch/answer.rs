//! The bytes of a far file as they come, from whichever kind of server, and what it says of them.

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use serde::{Deserialize, Serialize};
use tokio_util::bytes::Bytes;

use crate::domain::download::FileVersion;

/// What a server says of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::files) struct RemoteFile {
    /// Bytes of the whole file as it is sent.
    pub(in crate::files) total: Option<u64>,
    /// Its version.
    pub(in crate::files) version: FileVersion,
    /// It is sent compressed.
    pub(in crate::files) is_gzip: bool,
    /// The name that the server gives it.
    pub(in crate::files) file_name: Option<String>,
    /// The media type.
    pub(in crate::files) media_type: Option<String>,
}

/// An answer with bytes.
pub(in crate::files) struct Answer {
    /// Which byte of the file is the first one.
    pub(in crate::files) at: u64,
    pub(in crate::files) remote: RemoteFile,
    pub(in crate::files) bytes: BoxStream<'static, Result<Bytes, LineCut>>,
}

/// The connection broke off.
#[derive(Debug)]
pub(in crate::files) struct LineCut;

impl Answer {
    /// The next bytes.
    pub(in crate::files) async fn next(&mut self) -> Result<Option<Bytes>, LineCut> {
        self.bytes.next().await.transpose()
    }
}

/// What came of a question.
pub(in crate::files) enum Opened {
    /// Bytes.
    Bytes(Answer),
    /// The version is the one that was named.
    NotChanged,
    /// All bytes are here already.
    Whole,
}

/// From where on a file is asked for.
#[derive(Debug, Clone)]
pub(in crate::files) struct Resume {
    /// Bytes that are here.
    pub(in crate::files) at: u64,
    /// Of this version, as `If-Range` takes it.
    pub(in crate::files) version: String,
}
