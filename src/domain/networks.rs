//! Addresses and networks of machines, as a setting lists them. What they may do is the caller's
//! business.

use std::net::IpAddr;

use ipnet::IpNet;

/// Addresses and networks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Reads addresses and networks that are separated by commas.
    ///
    /// # Errors
    /// What is neither.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(network).collect::<Result<_, _>>().map(Self)
    }

    /// True when this address is one of them.
    #[must_use]
    pub fn has(&self, address: IpAddr) -> bool {
        // A listener on `[::]` shows an IPv4 peer as `::ffff:10.0.0.1`.
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse().or_else(|_| address()).map_err(|_| {
        format!(
            "`{text}` is neither an address nor a network; write it like 10.0.0.2 or 10.0.0.0/8"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_listed_or_one_of_a_network() {
        let networks = Networks::parse("10.0.0.2, 192.168.0.0/16,::1,").unwrap();
        let has = |text: &str| networks.has(text.parse().unwrap());
        for text in ["10.0.0.2", "192.168.7.1", "::1", "::ffff:10.0.0.2"] {
            assert!(has(text), "{text}");
        }
        for text in ["10.0.0.3", "127.0.0.1", "::2"] {
            assert!(!has(text), "{text}");
        }
        assert_eq!(Networks::parse(" "), Ok(Networks::default()));
        for text in ["nginx", "10.0.0.0/33", "10.0.0", "10.0.0.2:80", "*"] {
            assert!(Networks::parse(text).is_err(), "{text}");
        }
    }
}
