//! The first connection to a PostgreSQL database: which kind of TLS it takes, whether there is
//! anybody, and whether the database can hold what Loadbay stores.

use std::io;
use std::time::Duration;

use rustls::CertificateError;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{ConnectOptions, Connection, Row};

use crate::store::connection::address::Address;
use crate::store::connection::start_fault::StartFault;
use crate::store::error::{ErrorContext, StoreError};

/// How long the first connection is waited for.
const REACH_TIMEOUT: Duration = Duration::from_secs(3);

/// The one encoding that holds every text.
const UTF8: &str = "UTF8";

/// A database that answers.
#[derive(Debug)]
pub(super) struct Reached {
    /// With the kind of TLS that it takes.
    pub(super) options: PgConnectOptions,
    /// As `server_version_num` gives it.
    pub(super) version: u32,
}

/// Connects for the first time.
///
/// # Errors
/// Why the database cannot be reached or used.
pub(super) async fn reach(mut address: Address) -> Result<Reached, StoreError> {
    // sqlx checks certificates by the provider of the process; the first one installed stays.
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
    let mut connection = connect(&mut address).await?;
    let ask = "SELECT current_setting('server_version_num') AS version, \
               current_setting('server_encoding') AS encoding, current_database()::text AS database";
    // Not prepared: a pooler may not take that.
    let row = sqlx::raw_sql(ask).fetch_one(&mut connection).await;
    let row = row.context("look at the database")?;
    let text = |name: &str| row.try_get::<String, _>(name).context("look at the database");
    let (version, encoding, database) = (text("version")?, text("encoding")?, text("database")?);
    // It has answered: how it takes the end does not matter.
    let _ = connection.close().await;
    if encoding != UTF8 {
        return Err(StartFault::Encoding { database, encoding }.into());
    }
    Ok(Reached { options: address.options, version: version.parse().unwrap_or_default() })
}

/// Connects with the kind of TLS that the address asks for. `allow` takes TLS where the server wants
/// it, `prefer` does without where the server refuses it: sqlx itself knows the first half only.
async fn connect(address: &mut Address) -> Result<PgConnection, StartFault> {
    let mode = address.options.get_ssl_mode();
    let first = attempt(address).await;
    let other = match mode {
        PgSslMode::Allow => PgSslMode::Require,
        PgSslMode::Prefer => PgSslMode::Disable,
        _ => return first.map_err(|fault| explain(fault, address)),
    };
    let fault = match first {
        Err(fault) if is_refused_kind(&fault) => fault,
        other => return other.map_err(|fault| explain(fault, address)),
    };
    address.options = address.options.clone().ssl_mode(other);
    match attempt(address).await {
        Ok(connection) => Ok(connection),
        // What was preferred says more about why.
        Err(_) if matches!(mode, PgSslMode::Prefer) => Err(explain(fault, address)),
        Err(fault) => Err(explain(fault, address)),
    }
}

async fn attempt(address: &Address) -> Result<PgConnection, sqlx::Error> {
    let connected = tokio::time::timeout(REACH_TIMEOUT, address.options.connect()).await;
    connected.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
}

/// True when the other kind of connection may be taken: TLS failed, or `pg_hba.conf` has no line for
/// this kind (`invalid_authorization_specification`).
fn is_refused_kind(fault: &sqlx::Error) -> bool {
    match fault {
        sqlx::Error::Tls(_) => true,
        sqlx::Error::Io(fault) => tls_fault(fault).is_some(),
        sqlx::Error::Database(answer) => answer.code().is_some_and(|code| code == "28000"),
        _ => false,
    }
}

fn tls_fault(fault: &io::Error) -> Option<&rustls::Error> {
    fault.get_ref()?.downcast_ref()
}

fn explain(fault: sqlx::Error, address: &Address) -> StartFault {
    let place = address.place();
    match fault {
        sqlx::Error::Io(fault) if fault.kind() == io::ErrorKind::ConnectionRefused => {
            StartFault::Refused { place }
        }
        sqlx::Error::Io(fault) if fault.kind() == io::ErrorKind::TimedOut => {
            StartFault::Silent { place, seconds: REACH_TIMEOUT.as_secs() }
        }
        sqlx::Error::Io(fault) => match tls_fault(&fault) {
            Some(fault) => explain_tls(fault, place, address),
            None => StartFault::Unreachable { place, source: sqlx::Error::Io(fault).into() },
        },
        // The files were looked at before: what is left is a server without TLS.
        sqlx::Error::Tls(_) => {
            StartFault::NoTls { place, mode: mode_word(address.options.get_ssl_mode()) }
        }
        source => StartFault::Unreachable { place, source: source.into() },
    }
}

fn explain_tls(fault: &rustls::Error, place: String, address: &Address) -> StartFault {
    let wrong_name = |others| StartFault::WrongName {
        place: place.clone(),
        host: address.options.get_host().to_owned(),
        others,
    };
    match fault {
        // By a signature that does not fit: another authority of the same name.
        rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
        ) => StartFault::UnknownIssuer { place },
        rustls::Error::InvalidCertificate(CertificateError::NotValidForName) => {
            wrong_name(String::new())
        }
        rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext {
            presented,
            ..
        }) => wrong_name(format!("; it is for {}", presented.join(", "))),
        rustls::Error::AlertReceived(alert) => StartFault::Tls {
            place,
            why: format!(
                "the server ended it with the alert {alert:?}; it may want another client certificate (`sslcert`, `sslkey`)"
            ),
        },
        fault => StartFault::Tls { place, why: fault.to_string() },
    }
}

fn mode_word(mode: PgSslMode) -> &'static str {
    match mode {
        PgSslMode::Disable => "disable",
        PgSslMode::Allow => "allow",
        PgSslMode::Prefer => "prefer",
        PgSslMode::Require => "require",
        PgSslMode::VerifyCa => "verify-ca",
        PgSslMode::VerifyFull => "verify-full",
    }
}
