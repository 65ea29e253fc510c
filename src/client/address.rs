//! Where a server is: its address as a person writes it.

use std::fmt;

use url::{Host, Url};

/// The address of a server, perhaps with the path below which a proxy shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerAddress(Url);

impl ServerAddress {
    /// Reads `https://imports.example/loadbay` or `localhost:8080`.
    ///
    /// # Errors
    /// What is not such an address.
    pub fn parse(text: &str) -> Result<Self, String> {
        let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let faulty = || {
            "it is not the address of a server; write it like https://imports.example or \
             http://127.0.0.1:8080"
                .to_owned()
        };
        let mut url = Url::parse(&whole).map_err(|_| faulty())?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(faulty());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(
                "it holds a user or a password; put the key into a file and name that with \
                        --key-file"
                    .to_owned(),
            );
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(faulty());
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }

    /// The address of a call, whose path begins with a slash.
    pub(super) fn to(&self, path: &str) -> String {
        format!("{}{path}", self.0.as_str().trim_end_matches('/'))
    }

    /// True when the traffic is encrypted.
    pub(super) fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// True when the server is on this machine, where no proxy leads.
    pub(super) fn is_loopback(&self) -> bool {
        match self.0.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            None => false,
        }
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_people_write_it() {
        for (text, call) in [
            ("localhost:8080", "http://localhost:8080/readyz"),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/readyz"),
            ("https://tools.example/loadbay/", "https://tools.example/loadbay/readyz"),
            ("[::1]:8080", "http://[::1]:8080/readyz"),
        ] {
            assert_eq!(ServerAddress::parse(text).unwrap().to("/readyz"), call);
        }
        assert!(ServerAddress::parse("localhost:8080").unwrap().is_loopback());
        assert!(!ServerAddress::parse("10.0.0.1:8080").unwrap().is_loopback());
    }

    #[test]
    fn what_is_not_an_address_is_refused_and_a_password_is_not_shown() {
        for text in ["", "ftp://host", "http://", "host:port", "http://host?x", "http://host#x"] {
            assert!(ServerAddress::parse(text).is_err(), "{text}");
        }
        let fault = ServerAddress::parse("https://me:secret@host").unwrap_err();
        assert!(!fault.contains("secret"), "{fault}");
    }
}
