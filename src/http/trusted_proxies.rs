//! The proxies whose word about a client, its address and its path, is believed, as the setting lists
//! them.

use std::net::IpAddr;

use ipnet::IpNet;

/// Addresses of proxies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Reads addresses and networks that are separated by commas.
    ///
    /// # Errors
    /// What is neither.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(network).collect::<Result<_, _>>().map(Self)
    }

    /// True when a connection from this address is one of a proxy's.
    pub(super) fn has(&self, peer: IpAddr) -> bool {
        // A listener on `[::]` shows an IPv4 peer as `::ffff:10.0.0.1`.
        let peer = peer.to_canonical();
        self.0.iter().any(|network| network.contains(&peer))
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
    fn a_proxy_is_an_address_or_one_of_a_network() {
        let proxies = TrustedProxies::parse("10.0.0.2, 192.168.0.0/16,::1,").unwrap();
        let has = |text: &str| proxies.has(text.parse().unwrap());
        for text in ["10.0.0.2", "192.168.7.1", "::1", "::ffff:10.0.0.2"] {
            assert!(has(text), "{text}");
        }
        for text in ["10.0.0.3", "127.0.0.1", "::2"] {
            assert!(!has(text), "{text}");
        }
        assert_eq!(TrustedProxies::parse(" "), Ok(TrustedProxies::default()));
        for text in ["nginx", "10.0.0.0/33", "10.0.0", "10.0.0.2:80", "*"] {
            assert!(TrustedProxies::parse(text).is_err(), "{text}");
        }
    }
}
