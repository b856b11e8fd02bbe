//! What is different when the servers form a cluster.

use std::time::Duration;

use redis::{
    ClientTlsConfig, ConnectionAddr, ProtocolVersion, TlsCertificates, Value,
    cluster::{ClusterClient, ClusterClientBuilder},
    cluster_routing::{Route, RoutingInfo, SingleNodeRoutingInfo, SlotAddr},
};

use crate::{
    fault::Fault,
    settings::{Host, Settings, Tls},
    value,
};

/// Stands for *no limit* where the client library wants one.
const NO_LIMIT: Duration = Duration::from_secs(24 * 60 * 60);

/// One server to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    /// The one that there is.
    Only,
    /// A node of a cluster.
    At(Host),
    /// The node of a cluster that holds a slot.
    OwnerOf(u16),
}

impl Node {
    /// How the client library finds it.
    pub(super) fn route(&self) -> RoutingInfo {
        RoutingInfo::SingleNode(match self {
            Self::Only => SingleNodeRoutingInfo::RandomPrimary,
            Self::At(host) => SingleNodeRoutingInfo::ByAddress {
                host: host.name.clone(),
                port: host.port,
            },
            Self::OwnerOf(slot) => SingleNodeRoutingInfo::SpecificNode(Route::new(*slot, SlotAddr::Master)),
        })
    }
}

/// The client of a cluster; the database is always 0 there.
pub(super) fn client(
    settings: &Settings,
    hosts: &[Host],
    patience: Option<Duration>,
) -> Result<ClusterClient, Fault> {
    let nodes = hosts.iter().map(|host| address(host, settings.tls.as_ref()));
    let mut builder = ClusterClientBuilder::new(nodes)
        .use_protocol(ProtocolVersion::RESP2)
        .retries(settings.retry.times)
        .min_retry_wait(millis(settings.retry.min))
        .max_retry_wait(millis(settings.retry.max))
        .connection_timeout(settings.dial_timeout.unwrap_or(NO_LIMIT))
        .response_timeout(patience.unwrap_or(NO_LIMIT));
    if !settings.credentials.password.is_empty() {
        builder = builder.password(settings.credentials.password.expose());
        if !settings.credentials.username.is_empty() {
            builder = builder.username(&settings.credentials.username);
        }
    }
    if let Some((chain, key)) = settings.tls.as_ref().and_then(|tls| tls.identity.as_ref()) {
        builder = builder.certs(TlsCertificates {
            client_tls: Some(ClientTlsConfig {
                client_cert: chain.as_bytes().to_vec(),
                client_key: key.expose().as_bytes().to_vec(),
            }),
            root_cert: None,
        });
    }
    Ok(builder.build()?)
}

fn address(host: &Host, tls: Option<&Tls>) -> ConnectionAddr {
    match tls {
        None => ConnectionAddr::Tcp(host.name.clone(), host.port),
        Some(tls) => ConnectionAddr::TcpTls {
            host: host.name.clone(),
            port: host.port,
            insecure: tls.insecure,
            tls_params: None,
        },
    }
}

/// How many slots a cluster has.
const SLOTS: u16 = 16384;

/// The slot of a key: CRC-16 (XMODEM) of it, or of what stands in its first braces if that is not empty.
pub(crate) fn slot(key: &str) -> u16 {
    let tag = key
        .split_once('{')
        .and_then(|(_, rest)| rest.split_once('}'))
        .map(|(tag, _)| tag)
        .filter(|tag| !tag.is_empty());
    let crc = tag.unwrap_or(key).bytes().fold(0_u16, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 {
                crc << 1
            } else {
                (crc << 1) ^ 0x1021
            }
        })
    });
    crc % SLOTS
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The masters in an answer of `CLUSTER SLOTS`: rows of first slot, last slot, master (host, port, …), replicas.
pub(super) fn masters(answer: Value) -> Result<Vec<Node>, Fault> {
    let mut masters = Vec::new();
    for row in value::list(answer)? {
        let master = value::list(row)?.into_iter().nth(2).unwrap_or_default();
        let mut parts = value::list(master)?.into_iter();
        let (Some(name), Some(port)) = (parts.next(), parts.next()) else {
            return Err(Fault::Strange("a slot range without a master".to_owned()));
        };
        let port = u16::try_from(value::number(&port)?)
            .map_err(|_| Fault::Strange("a master without a port".to_owned()))?;
        let node = Node::At(Host {
            name: value::text(name)?,
            port,
        });
        if !masters.contains(&node) {
            masters.push(node);
        }
    }
    Ok(masters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_specification() {
        assert_eq!(slot("123456789"), 0x31C3);
        assert_eq!(slot("{user1000}.following"), slot("{user1000}.followers"));
        assert_eq!(slot("foo{}{bar}"), slot("foo{}{bar}"));
        assert_ne!(slot("foo{}{bar}"), slot("bar"));
        assert_eq!(slot("foo"), 12182);
    }
}
