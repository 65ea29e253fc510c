//! The certificate of the server, read again when its files change: a faulty pair leaves the one before
//! in force. Connections that are open keep theirs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use x509_cert::Certificate;
use x509_cert::der::Decode;

use crate::domain::error_chain::error_chain;

/// Between two looks whether the files changed.
const LOOK_PAUSE: Duration = Duration::from_secs(5);

/// The files of a certificate and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// `LOADBAY_TLS_CERT`: the certificate and those of its authorities up to the root, in PEM format.
    pub certificate: PathBuf,
    /// `LOADBAY_TLS_KEY`: the key of the certificate, in PEM format.
    pub key: PathBuf,
}

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsFault {
    /// A file cannot be read.
    #[error("{setting}: cannot read `{}`", path.display())]
    Unreadable {
        /// The setting that names it.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: rustls::pki_types::pem::Error,
    },
    /// There is no certificate in the file.
    #[error("LOADBAY_TLS_CERT: `{}` holds no certificate in PEM format", .0.display())]
    NoCertificate(PathBuf),
    /// The key and the certificate do not fit, or are of an unknown kind.
    #[error("LOADBAY_TLS_KEY: `{}` is not the key of the certificate", path.display())]
    Unfit {
        /// The file of the key.
        path: PathBuf,
        /// What the library says.
        source: rustls::Error,
    },
    /// What its authority signed cannot be read.
    #[error("LOADBAY_TLS_CERT: `{}` holds a certificate that cannot be read", .0.display())]
    Unknown(PathBuf),
    /// The system gives no signals.
    #[error("cannot listen for SIGHUP")]
    Signal(#[source] io::Error),
}

/// The certificate that new connections get; cheap to clone.
#[derive(Debug, Clone)]
pub struct ServerCertificate {
    files: CertificateFiles,
    current: Arc<RwLock<CurrentPair>>,
}

/// A pair that is in force.
#[derive(Debug, Clone)]
struct CurrentPair {
    key: Arc<CertifiedKey>,
    validity: Validity,
}

/// From when to when a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// From when.
    pub begin: DateTime<Utc>,
    /// To when.
    pub end: DateTime<Utc>,
}

impl ServerCertificate {
    /// Reads the files.
    ///
    /// # Errors
    /// When they are no pair.
    pub fn read(files: CertificateFiles) -> Result<Self, TlsFault> {
        let pair = read_pair(&files)?;
        Ok(Self { files, current: Arc::new(RwLock::new(pair)) })
    }

    /// From when to when the certificate is valid that new connections get.
    #[must_use]
    pub fn validity(&self) -> Validity {
        self.current.read().unwrap_or_else(PoisonError::into_inner).validity
    }

    /// How a web server speaks TLS with it.
    pub(super) fn server_config(&self) -> ServerConfig {
        let resolver = Arc::new(self.clone());
        ServerConfig::builder().with_no_client_auth().with_cert_resolver(resolver)
    }

    /// Reads the files again when they change and at SIGHUP, until `stopping`. Must be called within a
    /// runtime.
    ///
    /// # Errors
    /// When the system gives no signals.
    pub fn keep_current(&self, stopping: CancellationToken) -> Result<(), TlsFault> {
        let mut hang_up = signal(SignalKind::hangup()).map_err(TlsFault::Signal)?;
        let certificate = self.clone();
        tokio::spawn(async move {
            let mut seen = stamp(&certificate.files);
            loop {
                tokio::select! {
                    () = stopping.cancelled() => return,
                    _ = hang_up.recv() => {}
                    () = tokio::time::sleep(LOOK_PAUSE) => {
                        let now = stamp(&certificate.files);
                        if now == seen {
                            continue;
                        }
                        seen = now;
                    }
                }
                let again = certificate.clone();
                let _read = tokio::task::spawn_blocking(move || again.read_again()).await;
            }
        });
        Ok(())
    }

    fn read_again(&self) {
        match read_pair(&self.files) {
            Ok(pair) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = pair;
                tracing::info!(
                    event = "certificate_read",
                    file = %self.files.certificate.display(),
                    "certificate is read again, new connections get it"
                );
            }
            Err(fault) => {
                let error = error_chain(&fault);
                tracing::error!(
                    event = "certificate_unusable",
                    error,
                    "certificate cannot be used, the one before stays in force"
                );
            }
        }
    }
}

impl ResolvesServerCert for ServerCertificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).key))
    }
}

fn read_pair(files: &CertificateFiles) -> Result<CurrentPair, TlsFault> {
    let unreadable = |setting, path: &Path| {
        let path = path.to_owned();
        move |source| TlsFault::Unreadable { setting, path, source }
    };
    let of_certificate = || unreadable("LOADBAY_TLS_CERT", &files.certificate);
    let chain: Vec<_> = CertificateDer::pem_file_iter(&files.certificate)
        .map_err(of_certificate())?
        .collect::<Result<_, _>>()
        .map_err(of_certificate())?;
    let Some(own) = chain.first() else {
        return Err(TlsFault::NoCertificate(files.certificate.clone()));
    };
    let validity = validity(own).ok_or_else(|| TlsFault::Unknown(files.certificate.clone()))?;
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(unreadable("LOADBAY_TLS_KEY", &files.key))?;
    let provider = rustls::crypto::ring::default_provider();
    let key = CertifiedKey::from_der(chain, key, &provider)
        .map_err(|source| TlsFault::Unfit { path: files.key.clone(), source })?;
    Ok(CurrentPair { key: Arc::new(key), validity })
}

fn validity(certificate: &CertificateDer<'_>) -> Option<Validity> {
    let read = Certificate::from_der(certificate).ok()?;
    let validity = read.tbs_certificate().validity();
    let [begin, end] = [&validity.not_before, &validity.not_after]
        .map(|time| DateTime::from(time.to_system_time()));
    Some(Validity { begin, end })
}

/// When the files were changed, and how long they are. Links are followed: some tools change where one
/// leads.
fn stamp(files: &CertificateFiles) -> [Option<(SystemTime, u64)>; 2] {
    [&files.certificate, &files.key].map(|path| {
        let found = fs::metadata(path).ok()?;
        Some((found.modified().ok()?, found.len()))
    })
}
