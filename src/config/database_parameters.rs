//! The parameters of `DATABASE_URL` behind its `?`. One that does nothing here is refused: in another
//! program it has a meaning, and whoever writes it relies on that.

/// The parameters that have an effect.
const TAKEN: [&str; 18] = [
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "application_name",
    "options",
    "statement-cache-capacity",
];

const SCHEMA: &str = "the tables lie in the first schema of the role's `search_path`: set that with \
    `ALTER ROLE … SET search_path = …`, or with `options=-csearch_path%3DSCHEMA`";

const CONNECTIONS: &str = "the number of connections follows from LOADBAY_MAX_RUNNING_JOBS and \
    LOADBAY_WRITERS; leave it out";

const TIMEOUT: &str = "the server waits 3 s for a connection; leave it out";

/// Parameters of other programs, and what to do instead.
const ELSEWHERE: [(&str, &str); 15] = [
    ("schema", SCHEMA),
    ("currentschema", SCHEMA),
    ("search_path", SCHEMA),
    ("connection_limit", CONNECTIONS),
    ("max_connections", CONNECTIONS),
    ("min_connections", CONNECTIONS),
    ("pool_size", CONNECTIONS),
    ("pool_timeout", TIMEOUT),
    ("connect_timeout", TIMEOUT),
    ("acquire_timeout", TIMEOUT),
    (
        "pgbouncer",
        "the server needs sessions of its own: connect directly, or through a pooler in session \
         mode, and leave it out",
    ),
    ("ssl", "write `sslmode=require`, or `sslmode=verify-full` with `sslrootcert`"),
    ("sslaccept", "write `sslmode=require`, or `sslmode=verify-full` with `sslrootcert`"),
    ("statement_timeout", "the server sets its own time limits; leave it out"),
    (
        "target_session_attrs",
        "name the one server that takes changes, or an address that leads there, and leave it out",
    ),
];

/// Refuses the first parameter of the address that has no effect.
pub(super) fn check(url: &str) -> Result<(), String> {
    let Some((_, parameters)) = url.split_once('?') else { return Ok(()) };
    for (name, _) in url::form_urlencoded::parse(parameters.as_bytes()) {
        if TAKEN.contains(&&*name) || is_option(&name) {
            continue;
        }
        let lower = name.to_ascii_lowercase();
        let instead = ELSEWHERE.iter().find(|(known, _)| *known == lower);
        let instead = instead.map_or("leave it out", |(_, instead)| instead);
        return Err(format!("the parameter `{name}` has no effect here; {instead}"));
    }
    Ok(())
}

/// `options[search_path]`: one setting of the session.
fn is_option(name: &str) -> bool {
    name.strip_prefix("options[").is_some_and(|setting| setting.ends_with(']'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_without_effect_is_refused_with_what_to_do_instead() {
        for (parameters, said) in [
            ("schema=shop", "`schema` has no effect here; the tables lie in the first schema"),
            ("sslmode=require&currentSchema=shop", "`currentSchema` has no effect"),
            ("pgbouncer=true", "session mode"),
            ("connect_timeout=10", "3 s"),
            ("ssl=true", "sslmode=require"),
            ("channel_binding=require", "leave it out"),
            ("SSLMODE=require", "`SSLMODE`"),
        ] {
            let fault = check(&format!("postgres://me:s3cret@db/x?{parameters}")).unwrap_err();
            assert!(fault.contains(said), "{fault}");
            assert!(!fault.contains("s3cret"), "{fault}");
        }
        for taken in
            ["host=/run/postgresql&user=me", "options=-csearch_path%3Dshop", "options[a]=b", ""]
        {
            assert_eq!(check(&format!("postgres://db/x?{taken}")), Ok(()), "{taken}");
        }
    }
}
