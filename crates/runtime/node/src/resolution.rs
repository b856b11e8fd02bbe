//! `spec.nameResolution`: how peers are found.

use std::{collections::BTreeMap, net::SocketAddr};

use outrigger_resource_manifest::configuration::NameResolution;
use serde_json::Value;

/// The default resolver: multicast, in Dapr's form.
const MDNS: &str = "mdns";
/// Ours: peers that are written down, under `configuration.peers`.
const STATIC: &str = "static";

/// Why a resolver cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolutionError {
    /// There is no such resolver here.
    #[error(
        "name resolution component {0:?} is not built into this version of Outrigger; expected mdns or static"
    )]
    Unbuilt(String),
    /// The list of peers cannot be read.
    #[error("spec.nameResolution.configuration.peers{path}: {reason}")]
    Peers {
        /// Where in the list.
        path: String,
        /// What was found and what was expected.
        reason: String,
    },
}

/// Peers by id, or by `namespace/id`.
pub(crate) type StaticPeers = BTreeMap<String, Vec<SocketAddr>>;

/// The peers that a configuration writes down; none for the default resolver.
pub(crate) fn static_peers(resolution: Option<&NameResolution>) -> Result<StaticPeers, ResolutionError> {
    let Some(resolution) = resolution else {
        return Ok(StaticPeers::new());
    };
    match resolution.component.as_str() {
        "" | MDNS => Ok(StaticPeers::new()),
        STATIC => peers(resolution.configuration.get("peers")),
        other => Err(ResolutionError::Unbuilt(other.to_owned())),
    }
}

fn peers(list: Option<&Value>) -> Result<StaticPeers, ResolutionError> {
    let fail = |path: String, reason: &str| ResolutionError::Peers {
        path,
        reason: reason.to_owned(),
    };
    let expected = "expected app ids with lists of addresses, such as orders: [\"10.0.0.5:50002\"]";
    let map = list
        .and_then(Value::as_object)
        .ok_or_else(|| fail(String::new(), expected))?;
    let entry = |(id, addresses): (&String, &Value)| {
        let list = addresses
            .as_array()
            .ok_or_else(|| fail(format!(".{id}"), expected))?;
        let address = |(index, text): (usize, &Value)| {
            let parsed = text.as_str().and_then(|text| text.parse().ok());
            parsed.ok_or_else(|| fail(format!(".{id}[{index}]"), "expected an IP address and a port"))
        };
        Ok((
            id.clone(),
            list.iter().enumerate().map(address).collect::<Result<_, _>>()?,
        ))
    };
    map.iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(component: &str, configuration: Value) -> Result<StaticPeers, String> {
        let resolution = NameResolution {
            component: component.to_owned(),
            version: String::new(),
            configuration,
        };
        static_peers(Some(&resolution)).map_err(|error| error.to_string())
    }

    #[test]
    fn peers_are_read_and_faults_are_placed() {
        let peers = of(
            "static",
            json!({"peers": {"orders": ["127.0.0.1:5000", "[::1]:5001"]}}),
        )
        .unwrap();
        assert_eq!(peers["orders"].len(), 2);
        assert_eq!(of("mdns", Value::Null), Ok(StaticPeers::new()));
        let error = of("static", json!({"peers": {"orders": ["here"]}})).unwrap_err();
        assert_eq!(
            error,
            "spec.nameResolution.configuration.peers.orders[0]: expected an IP address and a port"
        );
        assert!(of("static", json!({})).unwrap_err().contains("expected app ids"));
        assert!(
            of("consul", Value::Null)
                .unwrap_err()
                .contains("\"consul\" is not built")
        );
    }
}
