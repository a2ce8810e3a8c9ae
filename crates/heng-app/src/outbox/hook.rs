//! Text messages by a web-hook: a signed POST to an address of the configuration.
//!
//! The address is fixed, yet what stands behind its name can change. So the addresses are looked at after the name is
//! resolved and before the connection is made, and no redirect is followed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use ureq::Agent;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use crate::outbox::config::HookConfig;
use crate::outbox::error::{Failure, Obstacle, OutboxError};

/// Bytes of an answer that are read.
const ANSWER_LIMIT: u64 = 16 << 10;
/// A shorter secret can be guessed.
const SECRET_MIN: usize = 16;

/// A service for text messages.
pub(super) struct Hook {
    agent: Agent,
    url: String,
    secret: crate::account::Hidden<String>,
}

/// What the service gets.
#[derive(Serialize)]
struct Request<'a> {
    id: &'a str,
    to: &'a str,
    lang: &'a str,
    template: &'a str,
    text: &'a str,
}

/// A text message to send.
pub(super) struct TextMessage<'a> {
    pub(super) id: &'a str,
    pub(super) to: &'a str,
    pub(super) lang: &'a str,
    pub(super) template: &'a str,
    pub(super) text: &'a str,
}

/// True if text can be the number of a telephone: digits, with or without `+`.
pub(crate) fn is_phone(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    (5..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
}

impl Hook {
    pub(super) fn new(config: &HookConfig) -> Result<Hook, OutboxError> {
        let wrong = |detail: &str| OutboxError::Config(format!("hook: {detail}"));
        let uri: Uri = config.url.parse().map_err(|_| wrong("url is no address"))?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| wrong("url has no host"))?;
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(wrong("url must not hold a password; the secret signs each request"));
        }
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if config.http_on_loopback => false,
            _ => return Err(wrong("url must begin with https://")),
        };
        if config.secret.0.len() < SECRET_MIN {
            return Err(wrong("secret must have at least 16 characters"));
        }
        let allowed = config.private_hosts.iter().any(|known| known.eq_ignore_ascii_case(host));
        let gate = if !secure {
            Gate::Loopback
        } else if allowed {
            Gate::Any
        } else {
            Gate::Public
        };
        let tls = TlsConfig::builder().root_certs(roots(config)?).build();
        let settings = Config::builder()
            .https_only(secure)
            .tls_config(tls)
            // A proxy would resolve the name itself, out of sight.
            .proxy(None)
            .max_redirects(0)
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(config.timeout_seconds.into())))
            .max_idle_connections(0)
            .user_agent("heng")
            .build();
        let agent =
            Agent::with_parts(settings, DefaultConnector::default(), Guard { gate, inner: DefaultResolver::default() });
        Ok(Hook { agent, url: config.url.clone(), secret: config.secret.clone() })
    }

    /// Hands a message to the service. `seconds` since 1970 are signed with it, so that an old request cannot be sent anew.
    pub(super) fn send(&self, message: &TextMessage<'_>, seconds: i64) -> Result<(), Failure> {
        let TextMessage { id, to, lang, template, text } = *message;
        let refused = |error: &dyn std::fmt::Display| Failure::new(Obstacle::Refused, error);
        let body = serde_json::to_string(&Request { id, to, lang, template, text }).map_err(|error| refused(&error))?;
        let signature = sign(&self.secret.0, seconds, &body).map_err(|error| refused(&error))?;
        let sent = self
            .agent
            .post(&self.url)
            .header("content-type", "application/json")
            .header("heng-message", id)
            .header("heng-timestamp", seconds.to_string())
            .header("heng-signature", signature)
            .send(&body);
        let mut answer = sent.map_err(|error| failure(&error))?;
        let status = answer.status().as_u16();
        let obstacle = match status {
            200..=299 => return Ok(()),
            401 | 403 => Obstacle::Login,
            408 | 425 | 429 | 500..=599 => Obstacle::Busy,
            _ => Obstacle::Refused,
        };
        // What the service says is read only to be shown; if it cannot be read the number is enough.
        let said = answer.body_mut().with_config().limit(ANSWER_LIMIT).lossy_utf8(true).read_to_string();
        Err(Failure::new(obstacle, format!("HTTP {status} {}", said.unwrap_or_default())))
    }
}

/// `sha256=` and the HMAC-SHA-256 of `SECONDS.BODY` in hex.
fn sign(secret: &str, seconds: i64, body: &str) -> Result<String, hmac::digest::InvalidLength> {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes())?;
    mac.update(format!("{seconds}.{body}").as_bytes());
    Ok(format!("sha256={}", hex::encode(mac.finalize().into_bytes())))
}

fn roots(config: &HookConfig) -> Result<RootCerts, OutboxError> {
    let Some(path) = &config.ca_file else { return Ok(RootCerts::PlatformVerifier) };
    let wrong =
        |error: &dyn std::fmt::Display| OutboxError::Config(format!("hook: ca_file {}: {error}", path.display()));
    let pem = std::fs::read(path).map_err(|error| wrong(&error))?;
    let items = parse_pem(&pem).collect::<Result<Vec<_>, _>>().map_err(|error| wrong(&error))?;
    let certificates: Vec<Certificate<'static>> = items
        .into_iter()
        .filter_map(|item| match item {
            PemItem::Certificate(certificate) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(wrong(&"it holds no certificate"));
    }
    Ok(RootCerts::new_with_certs(&certificates))
}

fn failure(error: &ureq::Error) -> Failure {
    let obstacle = match error {
        ureq::Error::Other(inner) if inner.is::<ForbiddenAddress>() => Obstacle::Forbidden,
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => Obstacle::Tls,
        // So the TLS library says that it does not trust the other side.
        ureq::Error::Io(inner) if inner.kind() == std::io::ErrorKind::InvalidData => Obstacle::Tls,
        _ => Obstacle::Unreachable,
    };
    Failure::new(obstacle, error)
}

/// Which addresses a connection may go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gate {
    /// The internet.
    Public,
    /// Private networks as well: the operator listed the host.
    Any,
    /// This machine only.
    Loopback,
}

impl Gate {
    fn admits(self, address: IpAddr) -> bool {
        match self {
            Gate::Public => is_public(address),
            Gate::Any => !address.is_unspecified() && !address.is_multicast(),
            Gate::Loopback => address.is_loopback(),
        }
    }
}

/// Resolves a name and lets through only addresses that the gate admits. The connection is made to what is returned
/// here, so a name that means something else a moment later changes nothing.
#[derive(Debug)]
struct Guard {
    gate: Gate,
    inner: DefaultResolver,
}

impl Resolver for Guard {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        // One bad address spoils the name: an honest service has none.
        if found.is_empty() || !found.iter().all(|address| self.gate.admits(address.ip())) {
            return Err(ureq::Error::Other(Box::new(ForbiddenAddress)));
        }
        Ok(found)
    }
}

/// A name led to an address where no message may go.
#[derive(Debug)]
struct ForbiddenAddress;

impl std::fmt::Display for ForbiddenAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the host has an address in a private network and is not listed in private_hosts")
    }
}

impl std::error::Error for ForbiddenAddress {}

/// True for addresses of the internet: none of this machine, of private and local networks (among them the services that
/// tell machines in a cloud their secrets), of documentation, or without a meaning.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(v4: Ipv4Addr) -> bool {
    let local = v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_broadcast() || v4.is_documentation();
    match v4.octets() {
        _ if local => false,
        [0, ..] | [100, 64..=127, ..] | [192, 0, 0, _] | [192, 88, 99, _] | [198, 18..=19, ..] | [224..=255, ..] => {
            false
        }
        _ => true,
    }
}

fn is_public_v6(v6: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = v6.segments();
    let v4 = |high: u16, low: u16| {
        let ([w, x], [y, z]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(w, x, y, z))
    };
    match (a, b, c, d, e, f) {
        // Addresses of the old internet in the clothes of the new one are what they are.
        (0, 0, 0, 0, 0, 0xffff) | (0x64, 0xff9b, 0, 0, 0, 0) => v4(g, h),
        (0x2002, high, low, ..) => v4(high, low),
        // Tunnels, documentation and benchmarks.
        (0x2001, 0..=0x1ff | 0xdb8, ..) | (0x3fff, 0..=0xfff, ..) => false,
        // Global addresses begin with 001; everything else is local, reserved, or has no meaning.
        _ => a & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_internet_are_public() {
        for address in [
            "1.1.1.1",
            "114.114.114.114",
            "8.8.8.8",
            "2400:3200::1",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::1",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "127.0.0.1",
            "127.9.9.9",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.100.100.200",
            "0.0.0.0",
            "0.1.2.3",
            "192.0.0.192",
            "198.18.0.1",
            "192.0.2.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "fec0::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::1",
            "2001::1",
            "2001:db8::1",
            "3fff::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn a_request_is_signed_with_its_time() {
        // printf '1700000000.{}' | openssl dgst -sha256 -hmac 0123456789abcdef
        let signature = sign("0123456789abcdef", 1_700_000_000, "{}").unwrap();
        assert_eq!(signature, "sha256=e4f8e2ecae2295b2ddb2f0b5584c8275e226c0ebe9b3b819e70156bb67122e3e");
        assert_ne!(signature, sign("0123456789abcdef", 1_700_000_001, "{}").unwrap());
    }
}
