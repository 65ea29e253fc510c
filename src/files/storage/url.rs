//! The address of a storage that several servers share, as the setting gives it.

use std::fmt;
use std::path::PathBuf;

use url::Url;

/// Where the files of jobs lie, when it is not the server's own data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorageUrl {
    /// `file:///folder`: a folder that every server sees, such as a network share.
    Folder(PathBuf),
    /// `s3://bucket/prefix`: an S3 bucket.
    Bucket {
        /// The bucket's name.
        bucket: String,
        /// What all keys begin with; may be empty.
        prefix: String,
    },
}

impl StorageUrl {
    /// Reads the address.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn parse(text: &str) -> Result<Self, String> {
        let shape = "write it like file:///mnt/loadbay or s3://bucket/prefix";
        let url =
            Url::parse(text).map_err(|_| format!("`{}` is no address; {shape}", cut(text)))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("the address holds a name or password; credentials stand in the \
                        environment, as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
                .to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(format!("the address has a query or fragment; {shape}"));
        }
        match (url.scheme(), url.host_str()) {
            ("file", None | Some("")) => {
                let folder = url.to_file_path().ok().filter(|path| path.parent().is_some());
                folder.map(Self::Folder).ok_or_else(|| format!("the folder is missing; {shape}"))
            }
            ("s3", Some(bucket)) if !bucket.is_empty() => Ok(Self::Bucket {
                bucket: bucket.to_owned(),
                prefix: url.path().trim_matches('/').to_owned(),
            }),
            _ => Err(format!("`{}` is neither a folder nor a bucket; {shape}", cut(text))),
        }
    }
}

impl fmt::Display for StorageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "file://{}", path.display()),
            Self::Bucket { bucket, prefix } if prefix.is_empty() => write!(f, "s3://{bucket}"),
            Self::Bucket { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

/// What a message shows of an address: nothing behind an `@`, which may follow a password.
fn cut(text: &str) -> &str {
    if text.contains('@') { "…" } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_buckets_are_told_apart() {
        for (text, shown) in [
            ("file:///mnt/loadbay", "file:///mnt/loadbay"),
            ("file:///mnt/with%20space/", "file:///mnt/with space/"),
            ("s3://bucket", "s3://bucket"),
            ("s3://bucket/", "s3://bucket"),
            ("s3://my.bucket/a/b/", "s3://my.bucket/a/b"),
        ] {
            assert_eq!(StorageUrl::parse(text).map(|url| url.to_string()), Ok(shown.to_owned()));
        }
    }

    #[test]
    fn what_is_neither_is_refused_without_showing_a_password() {
        for text in ["", "data", "/mnt/x", "file:///", "file://host/x", "s3://", "gs://b/x"] {
            assert!(StorageUrl::parse(text).is_err(), "{text}");
        }
        for text in ["s3://me:s3cret@bucket/x", "s3cret@bucket", "s3://b/x?secret=s3cret"] {
            let fault = StorageUrl::parse(text).unwrap_err();
            assert!(!fault.contains("s3cret"), "{fault}");
        }
    }
}
