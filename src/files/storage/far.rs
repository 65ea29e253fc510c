//! Files of the bucket that no job owns: a client names one to have it imported. The files of jobs lie
//! in the same bucket and are nobody's to name.

use futures_util::StreamExt;
use futures_util::stream;
use object_store::path::Path;
use object_store::{Error, ObjectStoreExt};
use uuid::Uuid;

use super::bucket::{Bucket, transfer};
use super::layout::OWNER;
use super::ranged_reader::RangedReader;
use super::{Backend, Storage};
use crate::domain::download::FileVersion;
use crate::files::fetch::FetchError;
use crate::files::fetch::answer::{Answer, LineCut, Opened, RemoteFile, Resume};
use crate::files::fetch::error::Refusal;

impl Storage {
    /// Checks that an object may be named, without asking anybody.
    pub(in crate::files) fn check_far(&self, bucket: &str, key: &str) -> Result<(), FetchError> {
        self.far_object(bucket, key).map(drop)
    }

    fn far_object(&self, bucket: &str, key: &str) -> Result<(&Bucket, Path), FetchError> {
        let refused =
            |why| FetchError::NotAllowed { what: format!("an object of s3://{bucket}"), why };
        let Backend::Bucket(own) = &self.backend else { return Err(refused(Refusal::OtherBucket)) };
        if own.name() != bucket {
            return Err(refused(Refusal::OtherBucket));
        }
        let object = Path::parse(key).map_err(|_| refused(Refusal::NoObject))?;
        let inside = object.prefix_match(own.prefix()).and_then(|mut inside| inside.next());
        let is_own = inside
            .is_some_and(|name| name.as_ref() == OWNER || Uuid::parse_str(name.as_ref()).is_ok());
        if is_own { Err(refused(Refusal::OwnFile)) } else { Ok((own, object)) }
    }

    /// Asks for an object, or for the rest of it.
    pub(in crate::files) async fn open_far(
        &self,
        bucket: &str,
        key: &str,
        resume: Option<&Resume>,
        known: Option<&FileVersion>,
    ) -> Result<Opened, FetchError> {
        let (own, object) = self.far_object(bucket, key)?;
        let host = format!("s3://{bucket}");
        let found = match own.found(&object, own.store().head(&object).await).await {
            Ok(found) => found,
            Err(super::bucket::BucketError::Missing) => {
                return Err(FetchError::Status { host, status: 404, retry_after: None });
            }
            Err(fault) => return Err(transfer("read the object", fault).into()),
        };
        let time = found.last_modified.to_rfc2822().replace("+0000", "GMT");
        let version = FileVersion { etag: found.e_tag.clone(), last_modified: Some(time) };
        if known.is_some_and(|known| known.etag.is_some() && known.etag == version.etag) {
            return Ok(Opened::NotChanged);
        }
        let resume = resume.filter(|it| Some(it.version.as_str()) == version.strong());
        let at = resume.map_or(0, |resume| resume.at);
        if at == found.size && at > 0 {
            return Ok(Opened::Whole);
        }
        let reader = RangedReader::of(own.store(), object, found.size, own.piece_bytes())
            .from(at)
            .of_version(found.e_tag);
        let remote = RemoteFile { total: Some(found.size), version, ..RemoteFile::default() };
        let bytes = stream::unfold(reader, |mut reader| async move {
            match reader.next().await {
                Ok(bytes) => bytes.map(|bytes| (Ok(bytes), reader)),
                Err(fault) => {
                    let is_changed = matches!(fault, Error::Precondition { .. });
                    tracing::debug!(event = "object_interrupted", is_changed, error = %fault, "object of the bucket broke off");
                    Some((Err(LineCut), reader))
                }
            }
        });
        Ok(Opened::Bytes(Answer { at, remote, bytes: bytes.boxed() }))
    }
}
