//! Uploads: files are read from the disk while they are sent, and sent again under the same key when
//! the server was away.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::StreamExt;
use reqwest::multipart::{Form, Part};
use reqwest::{Body, Method, RequestBuilder};
use serde_json::json;
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;
use url::form_urlencoded;

use super::connection::{Again, Connection, quoted};
use super::error::ClientError;
use super::follow::Followed;
use super::standing::Standing;

/// Bytes that are read at a time.
const PIECE_BYTES: usize = 64 << 10;

/// A file of this machine.
#[derive(Debug, Clone)]
pub struct UploadFile {
    /// Where it is.
    pub path: PathBuf,
    /// The name that the server sees.
    pub name: String,
}

/// What is imported.
#[derive(Debug, Clone)]
pub enum UploadSource {
    /// Files that are sent; several become a bulk.
    Files(Vec<UploadFile>),
    /// Addresses from which the server downloads; several become a bulk.
    Addresses(Vec<String>),
}

/// An upload.
#[derive(Debug, Clone)]
pub struct OutgoingUpload {
    /// The dataset that the rows become part of.
    pub dataset: String,
    /// Names and values of options.
    pub options: Vec<(String, String)>,
    /// The files.
    pub source: UploadSource,
    /// The key under which the upload is done once, however often it is sent.
    pub idempotency_key: String,
}

/// What became of an upload that was taken.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Its job or bulk.
    pub followed: Followed,
    /// The very answer of the API.
    pub standing: Standing,
}

impl Connection {
    /// Uploads; `sent` counts the bytes of the files that left.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn upload(
        &self,
        upload: &OutgoingUpload,
        sent: &Arc<AtomicU64>,
    ) -> Result<Sent, ClientError> {
        let path = address(upload, "");
        let request = async || {
            let request = self.fill(self.request(Method::POST, &path), upload, sent).await?;
            Ok(request.header("idempotency-key", quoted(&upload.idempotency_key)))
        };
        let response = self.send(Again::Always, request).await?;
        let standing = Standing { data: self.read(response).await?.data };
        let bulk = standing.text("bulkId").map(|id| Followed::Bulk(id.to_owned()));
        let job = standing.number(&["jobId"]).and_then(|id| i64::try_from(id).ok());
        match bulk.filter(|_| standing.files().next().is_some()).or(job.map(Followed::Job)) {
            Some(followed) => Ok(Sent { followed, standing }),
            None => Err(self.without_job()),
        }
    }

    /// What an upload would import.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn preview(&self, upload: &OutgoingUpload) -> Result<serde_json::Value, ClientError> {
        let path = address(upload, "/preview");
        let sent = Arc::default();
        let request = async || self.fill(self.request(Method::POST, &path), upload, &sent).await;
        let response = self.send(Again::Always, request).await?;
        Ok(self.read(response).await?.data)
    }

    /// Adds the body.
    async fn fill(
        &self,
        request: RequestBuilder,
        upload: &OutgoingUpload,
        sent: &Arc<AtomicU64>,
    ) -> Result<RequestBuilder, ClientError> {
        sent.store(0, Ordering::Relaxed);
        match &upload.source {
            UploadSource::Addresses(urls) => Ok(match urls.as_slice() {
                [url] => request.json(&json!({"url": url})),
                urls => request.json(&json!({"urls": urls})),
            }),
            UploadSource::Files(files) => {
                let mut form = Form::new();
                for file in files {
                    form = form.part("file", part(file, Arc::clone(sent)).await?);
                }
                Ok(request.multipart(form))
            }
        }
    }
}

/// The address of an upload, with its options.
fn address(upload: &OutgoingUpload, call: &str) -> String {
    let dataset: String = form_urlencoded::byte_serialize(upload.dataset.as_bytes()).collect();
    let mut path = format!("/api/v1/import/{dataset}{call}");
    if !upload.options.is_empty() {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&upload.options);
        path.push('?');
        path.push_str(&query.finish());
    }
    path
}

/// A file as a part of the form, with the size that it has now.
async fn part(file: &UploadFile, sent: Arc<AtomicU64>) -> Result<Part, ClientError> {
    let fault = |source| ClientError::Read { path: file.path.clone(), source };
    let opened = File::open(&file.path).await.map_err(fault)?;
    let size = opened.metadata().await.map_err(fault)?.len();
    let pieces = ReaderStream::with_capacity(opened.take(size), PIECE_BYTES);
    let counted = pieces.inspect(move |piece| {
        if let Ok(piece) = piece {
            sent.fetch_add(piece.len() as u64, Ordering::Relaxed);
        }
    });
    let part = Part::stream_with_length(Body::wrap_stream(counted), size);
    Ok(part.file_name(file.name.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_options_are_escaped() {
        let upload = OutgoingUpload {
            dataset: "a/b".to_owned(),
            options: vec![("mapping".to_owned(), r#"{"A&B": "sku"}"#.to_owned())],
            source: UploadSource::Addresses(Vec::new()),
            idempotency_key: String::new(),
        };
        assert_eq!(
            address(&upload, "/preview"),
            "/api/v1/import/a%2Fb/preview?mapping=%7B%22A%26B%22%3A+%22sku%22%7D"
        );
    }
}
