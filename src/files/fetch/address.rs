//! The address of a far file, taken apart and checked: scheme, host, port, nothing secret before the
//! host. A host that is written as a number is checked here, because nobody resolves it; one that is
//! a name when it is resolved.

use std::net::IpAddr;

use url::{Host, Url};

use super::FetchRules;
use super::error::{FetchError, Refusal};
use super::guard::may_ask;
use crate::domain::download::SourceUrl;

/// Bytes of an address: what an index of PostgreSQL takes.
const URL_BYTES_MAX: usize = 2_000;

/// Ports that may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ports {
    /// Every one.
    Any,
    /// These.
    Some(Vec<u16>),
}

impl Ports {
    /// Reads ports that are separated by commas, or `any`.
    ///
    /// # Errors
    /// What is neither.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("any") {
            return Ok(Self::Any);
        }
        let port = |part: &str| {
            let port = part.trim().parse::<u16>().ok().filter(|port| *port > 0);
            port.ok_or_else(|| format!("`{text}` is no list of ports; write it like 80,443 or any"))
        };
        text.split(',').map(port).collect::<Result<_, _>>().map(Self::Some)
    }

    fn has(&self, port: u16) -> bool {
        match self {
            Self::Any => true,
            Self::Some(ports) => ports.contains(&port),
        }
    }
}

/// Where a far file lies.
#[derive(Debug, Clone)]
pub(super) enum FarAddress {
    /// On a web server.
    Web(Url),
    /// In a bucket.
    Bucket {
        /// Its name.
        bucket: String,
        /// The name of the object.
        key: String,
    },
}

impl FarAddress {
    /// Reads the address of a far file.
    pub(super) fn parse(url: &SourceUrl, rules: &FetchRules) -> Result<Self, FetchError> {
        let text = url.reveal();
        if text.len() > URL_BYTES_MAX {
            return Err(refused("the address", Refusal::Long { most: URL_BYTES_MAX }));
        }
        // What cannot be read is not repeated: nobody knows what in it is secret.
        let url = Url::parse(text.trim()).map_err(|_| refused("the address", Refusal::NoUrl))?;
        if url.scheme() == "s3" {
            let key = percent_encoding::percent_decode_str(url.path().trim_start_matches('/'));
            let (bucket, key) = (url.host_str().unwrap_or_default().to_owned(), key.decode_utf8());
            return match key {
                Ok(key) if !bucket.is_empty() && !key.is_empty() && !has_secret(&url) => {
                    Ok(Self::Bucket { bucket, key: key.into_owned() })
                }
                _ => Err(refused("the address", Refusal::NoObject)),
            };
        }
        check_web(&url, rules)?;
        Ok(Self::Web(url))
    }
}

/// Checks an address of a web server: also one to which another one leads.
pub(super) fn check_web(url: &Url, rules: &FetchRules) -> Result<(), FetchError> {
    let host = url.host_str().unwrap_or_default();
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused("the address", Refusal::Scheme { scheme: url.scheme().to_owned() }));
    }
    if has_secret(url) {
        return Err(refused(host, Refusal::Credentials));
    }
    let port = url.port_or_known_default().unwrap_or(0);
    if !rules.ports.has(port) {
        return Err(refused(host, Refusal::Port { port }));
    }
    // `Url` reads 2130706433, 0x7f.1 and 017700000001 as what they are: 127.0.0.1.
    let number = match url.host() {
        Some(Host::Ipv4(four)) => Some(IpAddr::V4(four)),
        Some(Host::Ipv6(six)) => Some(IpAddr::V6(six)),
        Some(Host::Domain(_)) | None => None,
    };
    match number {
        Some(address) if !may_ask(address, &rules.networks) => Err(refused(host, Refusal::Private)),
        _ => Ok(()),
    }
}

fn has_secret(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

fn refused(what: &str, why: Refusal) -> FetchError {
    FetchError::NotAllowed { what: what.to_owned(), why }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::networks::Networks;

    fn rules() -> FetchRules {
        FetchRules {
            networks: Networks::default(),
            ports: Ports::parse("80, 443").unwrap(),
            time_max: Duration::from_secs(1),
            idle_max: Duration::from_secs(1),
            bytes_max: 1,
            authorities: None,
        }
    }

    fn parse(text: &str) -> Result<FarAddress, FetchError> {
        FarAddress::parse(&SourceUrl::new(text), &rules())
    }

    #[test]
    fn addresses_of_web_servers_and_of_buckets_are_read() {
        for text in ["https://a.example/x.csv?y=1", "http://8.8.8.8/x", "HTTPS://A.example:443/"] {
            assert!(matches!(parse(text), Ok(FarAddress::Web(_))), "{text}");
        }
        let Ok(FarAddress::Bucket { bucket, key }) = parse("s3://files/in/a%20b.csv") else {
            panic!("no bucket")
        };
        assert_eq!((bucket.as_str(), key.as_str()), ("files", "in/a b.csv"));
    }

    #[test]
    fn every_way_to_write_a_private_address_is_refused() {
        for text in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0x7f.1/",
            "http://017700000001/",
            "http://127.1/",
            "http://0/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://[2002:7f00:1::]/",
            "http://[fd00::1]/",
            "http://169.254.169.254/latest",
            "http://10.0.0.1./",
            "http://①②⑦.0.0.1/",
            "http://user@8.8.8.8/",
            "http://:s3cret@a.example/",
            "http://a.example:22/",
            "ftp://a.example/x",
            "file:///etc/passwd",
            "gopher://a.example/",
            "a.csv",
            "",
            "http://",
            "http://[::1",
            "s3://bucket",
            "s3:///key",
            "s3://me:s3cret@b/k",
            "data:text/csv,SKU",
        ] {
            let refused = parse(text).map(|found| format!("{found:?}")).unwrap_err();
            assert_eq!(refused.code().as_str(), "url_not_allowed", "{text}");
            assert!(!refused.to_string().contains("s3cret"), "{refused}");
        }
        let long = format!("https://a.example/{}", "x".repeat(URL_BYTES_MAX));
        assert!(parse(&long).is_err());
    }

    #[test]
    fn ports_are_listed_or_all() {
        assert_eq!(Ports::parse("Any"), Ok(Ports::Any));
        assert_eq!(Ports::parse("80,8443"), Ok(Ports::Some(vec![80, 8443])));
        for text in ["", "0", "80,", "70000", "http"] {
            assert!(Ports::parse(text).is_err(), "{text}");
        }
    }
}
