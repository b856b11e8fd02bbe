//! Health, metadata and shutdown.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use outrigger_transport::Body;
use outrigger_wire_names::routes;
use serde::Deserialize;

use crate::{Client, Error, Pairs, exchange::request, path::PathBuilder};

/// Time between two looks whether the sidecar is ready: short against the time it takes to start.
const READY_INTERVAL: Duration = Duration::from_millis(50);

/// What a sidecar tells of itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// Id of its app.
    pub id: String,
    /// The Dapr version whose contract it keeps.
    #[serde(default)]
    pub runtime_version: String,
    /// Active features.
    #[serde(default)]
    pub enabled_features: Vec<String>,
    /// Open components.
    #[serde(default)]
    pub components: Vec<ComponentInfo>,
    /// What was set from outside, and the version.
    #[serde(default)]
    pub extended: Pairs,
}

/// An open component.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ComponentInfo {
    /// Its name.
    pub name: String,
    /// Its full type, such as `state.redis`.
    #[serde(rename = "type")]
    pub type_: String,
    /// Its version as written in the manifest.
    #[serde(default)]
    pub version: String,
    /// What it can do.
    #[serde(default)]
    pub capabilities: Vec<String>,
}

impl Client {
    /// What the sidecar tells of itself.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when it is not there, [`Error::Decode`] when it is no sidecar.
    pub async fn metadata(&self) -> Result<Metadata, Error> {
        let path = PathBuilder::new(&[routes::V1, routes::METADATA]).into_string();
        let told = self.ask(Method::GET, path, None, "read metadata").await?;
        serde_json::from_slice(&told.body).map_err(|error| Error::Decode {
            what: "the sidecar's metadata".into(),
            source: error.into(),
        })
    }

    /// Sets an entry of the sidecar's extended metadata.
    ///
    /// # Errors
    /// As any call.
    pub async fn set_metadata(&self, key: &str, value: impl Into<Bytes>) -> Result<(), Error> {
        let path = PathBuilder::new(&[routes::V1, routes::METADATA])
            .segment(key)
            .into_string();
        let request = request(Method::PUT, &path, Body::from(value.into()))?;
        self.ask_with(request, "set metadata").await.map(drop)
    }

    /// Whether the sidecar and its app are ready.
    ///
    /// # Errors
    /// [`Error::Refused`] when they are not.
    pub async fn check_health(&self) -> Result<(), Error> {
        let path = PathBuilder::new(&[routes::V1, routes::HEALTHZ]).into_string();
        self.ask(Method::GET, path, None, "check health").await.map(drop)
    }

    /// Whether the sidecar is ready for outbound calls; its app may not be there yet.
    ///
    /// # Errors
    /// [`Error::Refused`] when it is not.
    pub async fn check_outbound_health(&self) -> Result<(), Error> {
        let path = PathBuilder::new(&[routes::V1, routes::HEALTHZ, routes::OUTBOUND]).into_string();
        self.ask(Method::GET, path, None, "check health").await.map(drop)
    }

    /// Waits until the sidecar is ready for outbound calls.
    ///
    /// # Errors
    /// The last answer, when it is not within `deadline`.
    pub async fn wait_until_ready(&self, deadline: Duration) -> Result<(), Error> {
        let end = tokio::time::Instant::now() + deadline;
        loop {
            let error = match self.check_outbound_health().await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            if tokio::time::Instant::now() + READY_INTERVAL > end {
                return Err(error);
            }
            tokio::time::sleep(READY_INTERVAL).await;
        }
    }

    /// Asks the sidecar to end.
    ///
    /// # Errors
    /// As any call.
    pub async fn shut_down(&self) -> Result<(), Error> {
        let path = PathBuilder::new(&[routes::V1, routes::SHUTDOWN]).into_string();
        self.ask(Method::POST, path, None, "ask the sidecar to end")
            .await
            .map(drop)
    }
}
