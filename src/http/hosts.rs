//! Which names the server answers to. Without it a page of another site could have its own name lead to
//! this machine, and its scripts would be those of "the same origin" (DNS rebinding).

use std::collections::BTreeSet;
use std::net::IpAddr;

use actix_web::dev::ServiceRequest;
use actix_web::http::header::HOST;
use actix_web::http::uri::Authority;

/// The name that a request was sent to: in HTTP/2 it is a part of the address.
pub(super) fn named(request: &ServiceRequest) -> Option<&str> {
    let named = request.headers().get(HOST).map(|host| host.to_str().unwrap_or_default());
    named.or_else(|| request.uri().authority().map(Authority::as_str))
}

/// The names of a server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts(BTreeSet<String>);

impl Hosts {
    /// Reads names that are separated by commas.
    ///
    /// # Errors
    /// What is no name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        names
            .map(|name| {
                let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
                if name.chars().all(is_plain) {
                    return Ok(name.to_ascii_lowercase());
                }
                Err(format!("`{name}` is not a name of a host; write it like imports.example"))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// True when none is listed.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True when a request to this host is answered. Addresses and names of the machine itself belong to
    /// nobody else.
    pub(super) fn has(&self, host: &str) -> bool {
        let name = without_port(host).to_ascii_lowercase();
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        bare.parse::<IpAddr>().is_ok() || is_localhost(&name) || self.0.contains(&name)
    }
}

/// True of the names of the machine itself.
pub(super) fn is_localhost(host: &str) -> bool {
    let name = without_port(host).to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.chars().all(|c| c.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_names_are_listed_and_addresses_belong_to_nobody_else() {
        let hosts = Hosts::parse("Imports.example, tools").unwrap();
        for host in
            ["imports.example:8080", "TOOLS", "127.0.0.1:80", "[::1]:80", "[::1]", "localhost"]
        {
            assert!(hosts.has(host), "{host}");
        }
        for host in ["evil.example", "imports.example.evil", "127.0.0.1.evil.example:80", ""] {
            assert!(!hosts.has(host), "{host}");
        }
        assert!(Hosts::parse("https://imports.example").is_err());
    }
}
