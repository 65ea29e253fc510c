//! What opens a bucket: the variables `AWS_…` of the environment and of `.env`. Their values are
//! never shown.

use std::collections::BTreeMap;
use std::fmt;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::{Certificate, ClientOptions, Error};

use crate::files::FileError;

/// Lines of `.env` that say nothing when the environment sets one of the first names: what belongs
/// together comes from one of the two.
const TOGETHER: [(&[&str], &[&str]); 3] = [
    (
        &["AWS_ACCESS_KEY_ID"],
        &["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_TOKEN"],
    ),
    (&REGION, &REGION),
    (&ENDPOINT, &ENDPOINT),
];

const REGION: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];

const ENDPOINT: [&str; 3] = ["AWS_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"];

/// The file with certificates of authorities that are trusted besides those of the system. Its name is
/// that of Amazon's own programs.
const AUTHORITIES: &str = "AWS_CA_BUNDLE";

/// Variables `AWS_…` with their values: credentials, region, endpoint.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct BucketAccess {
    /// In the order in which they count: a later one goes before an earlier one of the same meaning.
    variables: Vec<(String, String)>,
}

impl BucketAccess {
    /// Keeps those of the variables that are about buckets and say something; the environment goes
    /// before the file.
    #[must_use]
    pub fn among(file: BTreeMap<String, String>, environment: BTreeMap<String, String>) -> Self {
        let says =
            |(name, value): &(String, String)| name.starts_with("AWS_") && !value.trim().is_empty();
        let environment: BTreeMap<_, _> = environment.into_iter().filter(says).collect();
        let is_overruled = |name: &str| {
            TOGETHER.iter().any(|(set, overruled)| {
                overruled.contains(&name) && set.iter().any(|name| environment.contains_key(*name))
            })
        };
        let file = file.into_iter().filter(says).filter(|(name, _)| !is_overruled(name));
        let mut variables: Vec<_> = file.collect();
        variables.extend(environment);
        Self { variables }
    }

    /// The names of the variables, sorted.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.variables.iter().map(|(name, _)| name.clone()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// `client` with the authorities that the variables name.
    ///
    /// # Errors
    /// [`FileError::Authorities`] when the file cannot be used.
    pub(super) fn trust(&self, client: ClientOptions) -> Result<ClientOptions, FileError> {
        let named = self.variables.iter().rev().find(|(name, _)| name == AUTHORITIES);
        let Some((variable, path)) = named else { return Ok(client) };
        let fault =
            |why| FileError::Authorities { variable: variable.clone(), path: path.into(), why };
        let bytes =
            std::fs::read(path).map_err(|error| fault(format!("which cannot be read: {error}")))?;
        let found = Certificate::from_pem_bundle(&bytes).unwrap_or_default();
        if found.is_empty() {
            return Err(fault("which holds no certificate in PEM format".to_owned()));
        }
        Ok(found.into_iter().fold(client, ClientOptions::with_root_certificate))
    }

    /// `builder` with what the variables say. One that nobody knows is nobody's.
    ///
    /// # Errors
    /// [`FileError::Variable`] when a value is none that its variable takes.
    pub(super) fn apply(&self, mut builder: AmazonS3Builder) -> Result<AmazonS3Builder, FileError> {
        for (name, value) in &self.variables {
            let Ok(key) = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>() else { continue };
            if let Some(takes) = refused(key, value) {
                return Err(FileError::Variable { variable: name.clone(), takes });
            }
            builder = builder.with_config(key, value);
        }
        Ok(builder)
    }
}

/// What a variable takes, if it is not this value. The builder says it only at its end and without
/// the name, so each is tried alone.
fn refused(key: AmazonS3ConfigKey, value: &str) -> Option<&'static str> {
    let alone = AmazonS3Builder::new()
        .with_bucket_name("bucket")
        .with_access_key_id("key")
        .with_secret_access_key("secret")
        .with_config(key, value);
    let Err(Error::Generic { store: "Config", source }) = alone.build() else { return None };
    let said = source.to_string();
    Some(match said.rsplit_once(" as ") {
        Some((_, "boolean")) => "true or false",
        Some((_, "Duration")) => "a time like 30s",
        Some((_, "u32" | "usize")) => "a whole number",
        _ => "another value",
    })
}

impl fmt::Debug for BucketAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(file: &[(&str, &str)], environment: &[(&str, &str)]) -> BucketAccess {
        // `serve` installs the provider; in a test nobody else does.
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
        let owned = |lines: &[(&str, &str)]| -> BTreeMap<String, String> {
            lines.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        BucketAccess::among(owned(file), owned(environment))
    }

    #[track_caller]
    fn check(access: &BucketAccess, expected: &[(AmazonS3ConfigKey, Option<&str>)]) {
        let builder = access.apply(AmazonS3Builder::new()).unwrap();
        for (key, value) in expected {
            assert_eq!(builder.get_config_value(key).as_deref(), *value, "{key:?}");
        }
    }

    #[test]
    fn the_environment_goes_before_the_file_whatever_a_key_is_called() {
        let file = [("AWS_ENDPOINT_URL", "http://file"), ("AWS_REGION", "file-1")];
        let environment = [("AWS_ENDPOINT", "http://here"), ("AWS_DEFAULT_REGION", "here-1")];
        let expected = [
            (AmazonS3ConfigKey::Endpoint, Some("http://here")),
            (AmazonS3ConfigKey::Region, Some("here-1")),
        ];
        check(&access(&file, &environment), &expected);
        check(&access(&[("AWS_ENDPOINT_URL_S3", "http://file")], &environment), &expected);
        let empty = access(&file, &[("AWS_ENDPOINT", " "), ("LANG", "C")]);
        check(&empty, &[(AmazonS3ConfigKey::Endpoint, Some("http://file"))]);
    }

    #[test]
    fn credentials_come_from_one_of_the_two() {
        let file = [
            ("AWS_ACCESS_KEY_ID", "file"),
            ("AWS_SECRET_ACCESS_KEY", "file-secret"),
            ("AWS_SESSION_TOKEN", "file-token"),
        ];
        let environment = [("AWS_ACCESS_KEY_ID", "here"), ("AWS_SECRET_ACCESS_KEY", "here-secret")];
        check(
            &access(&file, &environment),
            &[
                (AmazonS3ConfigKey::AccessKeyId, Some("here")),
                (AmazonS3ConfigKey::SecretAccessKey, Some("here-secret")),
                (AmazonS3ConfigKey::Token, None),
            ],
        );
        check(&access(&file, &[]), &[(AmazonS3ConfigKey::Token, Some("file-token"))]);
    }

    #[test]
    fn a_value_that_cannot_be_read_is_told_by_its_variable_only() {
        for (name, value, takes) in [
            ("AWS_ALLOW_HTTP", "s3cret", "true or false"),
            ("AWS_SKIP_SIGNATURE", "s3cret", "true or false"),
            ("AWS_CONNECT_TIMEOUT", "s3cret", "a time like 30s"),
        ] {
            let refused = access(&[], &[(name, value)]).apply(AmazonS3Builder::new()).unwrap_err();
            let expected = format!("{name} has a value that cannot be read; it takes {takes}");
            assert_eq!(refused.to_string(), expected);
        }
        for value in ["yes", "TRUE", "0"] {
            assert!(
                access(&[("AWS_ALLOW_HTTP", value)], &[]).apply(AmazonS3Builder::new()).is_ok()
            );
        }
    }

    #[test]
    fn a_file_of_authorities_that_cannot_be_used_is_told() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("ca.pem");
        std::fs::write(&path, "no certificate").unwrap();
        for (path, said) in [
            ("/nowhere/ca.pem", "AWS_CA_BUNDLE names `/nowhere/ca.pem`, which cannot be read"),
            (path.to_str().unwrap(), "which holds no certificate in PEM format"),
        ] {
            let access = access(&[], &[("AWS_CA_BUNDLE", path)]);
            let fault = access.trust(ClientOptions::new()).unwrap_err().to_string();
            assert!(fault.contains(said), "{fault}");
        }
    }

    #[test]
    fn values_are_never_shown() {
        let access = access(&[("AWS_SECRET_ACCESS_KEY", "s3cret")], &[("AWS_REGION", "x")]);
        assert_eq!(format!("{access:?}"), r#"{"AWS_REGION", "AWS_SECRET_ACCESS_KEY"}"#);
    }
}
