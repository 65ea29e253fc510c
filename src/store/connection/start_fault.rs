//! Why a server cannot run on a PostgreSQL database, in words for the one who starts it.

use std::fmt::Write as _;

use crate::store::plain_error::PlainError;

/// What keeps the server from starting.
#[derive(Debug, thiserror::Error)]
pub enum StartFault {
    /// Nothing listens there.
    #[error(
        "DATABASE_URL: connection refused: nothing listens at {place}; start PostgreSQL there, or correct host and port"
    )]
    Refused {
        /// Host and port, or the socket's file.
        place: String,
    },
    /// No answer in time.
    #[error(
        "DATABASE_URL: {place} does not answer within {seconds} s; correct host and port, or let the firewall through"
    )]
    Silent {
        /// Host and port, or the socket's file.
        place: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The connection cannot be had for another reason.
    #[error("DATABASE_URL: cannot connect to {place}")]
    Unreachable {
        /// Host and port, or the socket's file.
        place: String,
        /// Why.
        #[source]
        source: PlainError<sqlx::Error>,
    },
    /// A certificate or key cannot be read.
    #[error("DATABASE_URL: `{parameter}` names `{path}`, {why}")]
    CertificateFile {
        /// The parameter of the address.
        parameter: &'static str,
        /// The file.
        path: String,
        /// What is wrong with it: completes the sentence.
        why: String,
    },
    /// A client certificate without its key, or the other way round.
    #[error("DATABASE_URL: `{given}` needs `{missing}`; give both, or neither")]
    HalfOfPair {
        /// The parameter that is there.
        given: &'static str,
        /// The one that is not.
        missing: &'static str,
    },
    /// The server has no TLS.
    #[error(
        "DATABASE_URL: {place} does not speak TLS, and `sslmode={mode}` demands it; switch `ssl` on there, or use `sslmode=prefer`"
    )]
    NoTls {
        /// Host and port.
        place: String,
        /// What was asked for.
        mode: &'static str,
    },
    /// The certificate of the server was signed by nobody who is trusted.
    #[error(
        "DATABASE_URL: the certificate of {place} was issued by an authority that is not trusted; name the certificate of that authority with `sslrootcert`"
    )]
    UnknownIssuer {
        /// Host and port.
        place: String,
    },
    /// The certificate of the server is for another name.
    #[error(
        "DATABASE_URL: the certificate of {place} is not for the name `{host}`{others}; connect by a name of the certificate, or use `sslmode=verify-ca`"
    )]
    WrongName {
        /// Host and port.
        place: String,
        /// The name in the address.
        host: String,
        /// The names of the certificate, as the rest of the sentence.
        others: String,
    },
    /// The certificate of the server is not good for another reason, or the client's was refused.
    #[error("DATABASE_URL: no TLS connection to {place}: {why}")]
    Tls {
        /// Host and port.
        place: String,
        /// Why.
        why: String,
    },
    /// Texts would not be stored as they are.
    #[error(
        "database `{database}` has the encoding {encoding}; Loadbay needs UTF8: create a database with `CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0`"
    )]
    Encoding {
        /// The database.
        database: String,
        /// Its encoding.
        encoding: String,
    },
    /// Sessions are not ours alone.
    #[error(
        "DATABASE_URL leads to a connection pooler, such as PgBouncer, in transaction mode: what one connection sets, another one sees; connect to PostgreSQL directly, or set `pool_mode = session`"
    )]
    SharedSessions,
    /// A newer program migrated the tables.
    #[error(
        "the tables of database `{database}` were made by a newer Loadbay: it ran `{migration}`, which this program does not know; install the newer program"
    )]
    NewerTables {
        /// The database.
        database: String,
        /// The first migration that is unknown.
        migration: String,
    },
    /// Tables are to be changed, and the role may not.
    #[error(
        "role `{role}` may not change the tables of database `{database}`, and {count} migration(s) must run: {missing}; let a role that has this right start the server once, or grant it"
    )]
    MayNotMigrate {
        /// The role.
        role: String,
        /// The database.
        database: String,
        /// How many migrations are to be done.
        count: usize,
        /// The right that is missing.
        missing: String,
    },
    /// Rights are missing.
    #[error("role `{role}` lacks {}; a database administrator grants them: {}", list(.missing), grants(.missing, .role))]
    MissingRights {
        /// The role.
        role: String,
        /// What is missing.
        missing: Vec<MissingRight>,
    },
}

/// A right that the role lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingRight {
    /// The words of GRANT: `SELECT, INSERT`.
    pub right: String,
    /// On what: `TABLE import_log`.
    pub on: String,
}

fn list(missing: &[MissingRight]) -> String {
    let words: Vec<_> = missing.iter().map(|it| format!("{} on {}", it.right, it.on)).collect();
    words.join(", ")
}

fn grants(missing: &[MissingRight], role: &str) -> String {
    missing.iter().fold(String::new(), |mut text, it| {
        // A `String` takes everything.
        let _ = write!(text, "GRANT {} ON {} TO \"{role}\"; ", it.right, it.on);
        text
    })
}
