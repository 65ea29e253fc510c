//! The resolver that connects: what it lets through is what the client connects to, so that a name
//! cannot be public when it is checked and private a moment later.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::guard::may_ask;
use crate::domain::networks::Networks;

/// Resolves names by the system and leaves out the addresses that may not be asked.
#[derive(Debug, Clone)]
pub(super) struct GuardedResolver {
    pub(super) networks: Networks,
}

/// A name all of whose addresses may not be asked.
#[derive(Debug, thiserror::Error)]
#[error("the name has private addresses only")]
pub(super) struct OnlyPrivate;

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let networks = self.networks.clone();
        Box::pin(async move {
            let mut found = lookup(name.as_str()).await?;
            let count = found.len();
            found.retain(|address| may_ask(address.ip(), &networks));
            if found.is_empty() && count > 0 {
                return Err(OnlyPrivate.into());
            }
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

/// Asks the system; in a test the failpoint `fetch.resolve` answers instead.
async fn lookup(name: &str) -> std::io::Result<Vec<SocketAddr>> {
    if let Some(text) = crate::faults::answer("fetch.resolve") {
        let address = |part: &str| part.parse().ok().map(|ip| SocketAddr::new(ip, 0));
        return Ok(text.split(' ').filter_map(address).collect());
    }
    Ok(tokio::net::lookup_host((name, 0)).await?.collect())
}
