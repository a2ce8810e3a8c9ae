//! Who knocks: the address that limits count by, and the browser that lists of sessions name.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use heng_app::account::Caller;

use crate::view::App;

/// Each proxy adds to its end the address that spoke to it.
const FORWARDED: &str = "x-forwarded-for";

/// A client, as a handler asks for it.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    address: IpAddr,
    agent: String,
}

impl Client {
    /// The address that limits count by.
    pub(crate) fn address(&self) -> IpAddr {
        self.address
    }

    /// The same for the sign-in service.
    pub(crate) fn caller(&self) -> Caller<'_> {
        Caller { address: self.address, agent: &self.agent }
    }
}

impl FromRequestParts<App> for Client {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Client, Self::Rejection> {
        // Without a connection (the router driven by hand) it is this machine.
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |ConnectInfo(peer)| peer.ip());
        let agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let address = address(peer, &parts.headers, app.trusted_proxies());
        Ok(Client { address, agent: agent.to_owned() })
    }
}

/// The address nearest to us that is no trusted proxy's. What stands further left, the client may have invented.
fn address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    let trusts = |address: &IpAddr| trusted.iter().any(|proxy| proxy.to_canonical() == *address);
    let mut nearest = peer.to_canonical();
    let lines: Vec<&str> = headers.get_all(FORWARDED).iter().map(|value| value.to_str().unwrap_or_default()).collect();
    let mut hops = lines.iter().rev().flat_map(|line| line.rsplit(','));
    while trusts(&nearest) {
        let Some(hop) = hops.next().and_then(read) else { break };
        nearest = hop;
    }
    nearest
}

/// `192.0.2.1`, `192.0.2.1:5000`, `2001:db8::1` or `[2001:db8::1]:5000`.
fn read(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let plain = hop.parse().or_else(|_| hop.parse().map(|address: SocketAddr| address.ip()));
    plain.ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn only_what_trusted_proxies_say_counts() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let cases: [(&str, &[&str], &[&str], &str); 12] = [
            // Nobody is trusted: the header is the client's own word.
            ("127.0.0.1", &["203.0.113.9"], &[], "127.0.0.1"),
            ("203.0.113.5", &["203.0.113.9"], &["127.0.0.1"], "203.0.113.5"),
            ("127.0.0.1", &["203.0.113.9"], &["127.0.0.1"], "203.0.113.9"),
            // What the client itself has put in front changes nothing.
            ("127.0.0.1", &["1.2.3.4, 203.0.113.9"], &["127.0.0.1"], "203.0.113.9"),
            ("127.0.0.1", &["127.0.0.1, 203.0.113.9"], &["127.0.0.1"], "203.0.113.9"),
            ("127.0.0.1", &["1.2.3.4", "203.0.113.9"], &["127.0.0.1"], "203.0.113.9"),
            // Two proxies, one behind the other.
            ("127.0.0.1", &["1.2.3.4, 203.0.113.9, 10.0.0.2"], &["127.0.0.1", "10.0.0.2"], "203.0.113.9"),
            // Nothing, or nothing that can be read: the last one known.
            ("127.0.0.1", &[], &["127.0.0.1"], "127.0.0.1"),
            ("127.0.0.1", &["203.0.113.9, unknown"], &["127.0.0.1"], "127.0.0.1"),
            // A port, version 6, and version 4 written as version 6.
            ("::1", &["[2001:db8::7]:4711"], &["::1"], "2001:db8::7"),
            ("127.0.0.1", &["203.0.113.9:80"], &["127.0.0.1"], "203.0.113.9"),
            ("::ffff:127.0.0.1", &["::ffff:203.0.113.9"], &["127.0.0.1"], "203.0.113.9"),
        ];
        for (peer, lines, trusted, wanted) in cases {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(FORWARDED, line.parse().unwrap());
            }
            let trusted: Vec<IpAddr> = trusted.iter().map(|text| ip(text)).collect();
            assert_eq!(address(ip(peer), &headers, &trusted), ip(wanted), "{peer} {lines:?} {trusted:?}");
        }
    }
}
