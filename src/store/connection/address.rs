//! The address of a PostgreSQL database: what sqlx reads of it, and what it must be given besides.
//! The files that it names are looked at here, so that a missing one is reported by its name.

use std::borrow::Cow;
use std::path::Path;
use std::str::FromStr;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::store::connection::start_fault::StartFault;
use crate::store::error::StoreError;

/// What the sessions are called in `pg_stat_activity`, unless the address says otherwise.
const APPLICATION: &str = "loadbay";

/// Where systems keep the authorities that they trust: Debian, Red Hat, SUSE, Alpine.
const SYSTEM_AUTHORITIES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// How a database is reached.
#[derive(Debug, Clone)]
pub(super) struct Address {
    pub(super) options: PgConnectOptions,
}

impl Address {
    /// Reads the address.
    ///
    /// # Errors
    /// When it is none, or names a file that cannot be used.
    pub(super) fn parse(url: &str) -> Result<Self, StoreError> {
        let mut options = PgConnectOptions::from_str(url)
            .map_err(|source| StoreError::BadUrl { why: without_address(&source) })?
            // Poolers refuse it, and values travel in binary.
            .extra_float_digits(None)
            // A merge of ten thousand rows may take its second; that is no news.
            .disable_statement_logging();
        if options.get_application_name().is_none() {
            options = options.application_name(APPLICATION);
        }
        let files = TlsFiles::of(url);
        files.check()?;
        if let Some(root) = &files.root {
            options = options.ssl_root_cert(&**root);
            // As in libpq: who names an authority wants it to be asked.
            if let PgSslMode::Require = options.get_ssl_mode() {
                options = options.ssl_mode(PgSslMode::VerifyCa);
            }
        }
        Ok(Self { options })
    }

    /// Host and port, or the file of the socket.
    pub(super) fn place(&self) -> String {
        let (host, port) = (self.options.get_host(), self.options.get_port());
        match self.options.get_socket() {
            Some(folder) => format!("{}/.s.PGSQL.{port}", folder.display()),
            None if host.starts_with('/') => format!("{host}/.s.PGSQL.{port}"),
            None if host.contains(':') => format!("[{host}]:{port}"),
            None => format!("{host}:{port}"),
        }
    }
}

/// The files that an address names.
#[derive(Debug, Default)]
struct TlsFiles<'a> {
    root: Option<Cow<'a, str>>,
    certificate: Option<Cow<'a, str>>,
    key: Option<Cow<'a, str>>,
}

impl TlsFiles<'_> {
    fn of(url: &str) -> TlsFiles<'_> {
        let mut files = TlsFiles::default();
        let Some((_, parameters)) = url.split_once('?') else { return files };
        for (name, value) in url::form_urlencoded::parse(parameters.as_bytes()) {
            match &*name {
                "sslrootcert" | "ssl-root-cert" | "ssl-ca" => files.root = Some(value),
                "sslcert" | "ssl-cert" => files.certificate = Some(value),
                "sslkey" | "ssl-key" => files.key = Some(value),
                _ => {}
            }
        }
        if files.root.as_deref() == Some("system") {
            let found = SYSTEM_AUTHORITIES.into_iter().find(|path| Path::new(path).exists());
            files.root = found.map(Cow::Borrowed).or(files.root);
        }
        files
    }

    fn check(&self) -> Result<(), StartFault> {
        if let Some(path) = &self.root {
            readable("sslrootcert", path, certificates)?;
        }
        match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => {
                readable("sslcert", certificate, certificates)?;
                readable("sslkey", key, private_key)
            }
            (None, None) => Ok(()),
            (Some(_), None) => Err(StartFault::HalfOfPair { given: "sslcert", missing: "sslkey" }),
            (None, Some(_)) => Err(StartFault::HalfOfPair { given: "sslkey", missing: "sslcert" }),
        }
    }
}

fn readable(
    parameter: &'static str,
    path: &str,
    holds: fn(&[u8]) -> Result<(), &'static str>,
) -> Result<(), StartFault> {
    let fault = |why| StartFault::CertificateFile { parameter, path: path.to_owned(), why };
    let bytes =
        std::fs::read(path).map_err(|error| fault(format!("which cannot be read: {error}")))?;
    holds(&bytes).map_err(|what| fault(format!("which holds no {what} in PEM format")))
}

fn certificates(bytes: &[u8]) -> Result<(), &'static str> {
    let found = CertificateDer::pem_slice_iter(bytes).collect::<Result<Vec<_>, _>>();
    if found.is_ok_and(|found| !found.is_empty()) { Ok(()) } else { Err("certificate") }
}

fn private_key(bytes: &[u8]) -> Result<(), &'static str> {
    PrivateKeyDer::from_pem_slice(bytes).map(drop).map_err(|_| "private key without a password")
}

/// sqlx quotes the address in some of its errors; it may hold a password.
fn without_address(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Configuration(source) => source.to_string(),
        _ => "it cannot be read".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_used_is_told_with_its_parameter() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("key.pem");
        std::fs::write(&path, "no key").unwrap();
        let path = path.display();
        for (parameters, said) in [
            (
                "sslrootcert=/none.pem".to_owned(),
                "`sslrootcert` names `/none.pem`, which cannot be read",
            ),
            (format!("sslrootcert={path}"), "which holds no certificate in PEM format"),
            (format!("sslcert={path}"), "`sslcert` needs `sslkey`"),
            (format!("sslkey={path}"), "`sslkey` needs `sslcert`"),
        ] {
            let fault = Address::parse(&format!("postgres://me@db/x?{parameters}")).unwrap_err();
            assert!(fault.to_string().contains(said), "{fault}");
        }
    }

    #[test]
    fn an_address_is_shown_as_host_and_port_or_socket() {
        for (url, place) in [
            ("postgres://me:secret@db/x", "db:5432"),
            ("postgres://me@db:6432/x?application_name=mine", "db:6432"),
            ("postgres:///x?host=/run/postgresql", "/run/postgresql/.s.PGSQL.5432"),
        ] {
            assert_eq!(Address::parse(url).unwrap().place(), place);
        }
    }
}
