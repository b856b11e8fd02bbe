//! What an app was told, and what its environment says.

use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use outrigger_base_clock::{BufferedEntropy, Entropy};
use outrigger_resource_manifest::{Component, Env, ProcessEnv};
use outrigger_wire_names::environment;

use super::{DEFAULT_MAX_BODY, Mode, start_error};
use crate::Error;

/// Time for an orderly end, as a sidecar has by default.
const GRACEFUL: Duration = Duration::from_secs(5);

/// Variables that name a sidecar.
const SIDECAR: [&str; 4] = [
    environment::DAPR_HTTP_PORT,
    environment::DAPR_HTTP_ENDPOINT,
    environment::DAPR_GRPC_PORT,
    environment::DAPR_GRPC_ENDPOINT,
];

/// Everything but handlers.
pub(super) struct Settings {
    pub(super) app_id: String,
    pub(super) mode: Option<Mode>,
    pub(super) components: Vec<Component>,
    pub(super) resources: Vec<PathBuf>,
    pub(super) configurations: Vec<PathBuf>,
    pub(super) metrics: Option<SocketAddr>,
    pub(super) listen: Option<SocketAddr>,
    pub(super) internal: SocketAddr,
    pub(super) peers: BTreeMap<String, Vec<SocketAddr>>,
    pub(super) multicast: bool,
    pub(super) max_body: u64,
    pub(super) graceful: Duration,
    pub(super) env: Arc<dyn Env>,
    pub(super) entropy: Arc<dyn Entropy>,
}

impl Settings {
    pub(super) fn new(app_id: String) -> Self {
        Self {
            app_id,
            mode: None,
            components: Vec::new(),
            resources: Vec::new(),
            configurations: Vec::new(),
            metrics: None,
            listen: None,
            internal: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
            peers: BTreeMap::new(),
            multicast: true,
            max_body: DEFAULT_MAX_BODY,
            graceful: GRACEFUL,
            env: Arc::new(ProcessEnv),
            entropy: Arc::new(BufferedEntropy::default()),
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        if self.app_id.is_empty() {
            return Err("an app needs an id: App::new(\"orders\")".to_owned());
        }
        if self.app_id.contains('.') {
            return Err(format!("the app id {:?} cannot contain dots", self.app_id));
        }
        let mut names: Vec<&str> = self
            .components
            .iter()
            .map(|component| component.name.as_str())
            .collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(format!("two components are named {:?}", pair[0])),
            None => Ok(()),
        }
    }

    /// The mode that was asked for, or the one that the environment asks for.
    pub(super) fn mode(&self) -> Result<Mode, Error> {
        let names_sidecar = SIDECAR.iter().any(|name| self.var(name).is_some());
        Ok(self.mode.unwrap_or(if names_sidecar {
            Mode::Sidecar
        } else {
            Mode::Embedded
        }))
    }

    /// A variable that is set and not empty.
    pub(super) fn var(&self, name: &str) -> Option<String> {
        self.env.var(name).filter(|value| !value.trim().is_empty())
    }

    /// Where to listen for a sidecar: the address given, or loopback and `APP_PORT`; `None` without either.
    pub(super) fn listen_address(&self) -> Result<Option<SocketAddr>, Error> {
        if let Some(address) = self.listen {
            return Ok(Some(address));
        }
        let Some(port) = self.var(environment::APP_PORT) else {
            return Ok(None);
        };
        let name = environment::APP_PORT;
        match port.trim().parse() {
            Ok(0) => Ok(None),
            Ok(port) => Ok(Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))),
            Err(_) => Err(start_error(
                format!("listen on the port in {name}"),
                format!("{port:?} is not a port; expected 0 to 65535"),
            )),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("app_id", &self.app_id)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &'static [(&str, &str)]) -> Settings {
        let mut settings = Settings::new("app".to_owned());
        settings.env = Arc::new(move |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        settings
    }

    #[test]
    fn the_environment_decides_unless_the_app_does() {
        assert_eq!(settings(&[]).mode().unwrap(), Mode::Embedded);
        assert_eq!(
            settings(&[("DAPR_HTTP_PORT", "")]).mode().unwrap(),
            Mode::Embedded
        );
        assert_eq!(
            settings(&[("DAPR_HTTP_PORT", "3500")]).mode().unwrap(),
            Mode::Sidecar
        );
        assert_eq!(
            settings(&[("DAPR_GRPC_PORT", "50001")]).mode().unwrap(),
            Mode::Sidecar
        );
        let mut forced = settings(&[("DAPR_HTTP_PORT", "3500")]);
        forced.mode = Some(Mode::Embedded);
        assert_eq!(forced.mode().unwrap(), Mode::Embedded);
    }

    #[test]
    fn an_app_port_is_a_port_of_loopback() {
        assert_eq!(settings(&[]).listen_address().unwrap(), None);
        assert_eq!(settings(&[("APP_PORT", "0")]).listen_address().unwrap(), None);
        let address = settings(&[("APP_PORT", "8080")]).listen_address().unwrap();
        assert_eq!(address, Some("127.0.0.1:8080".parse().unwrap()));
        let error = settings(&[("APP_PORT", "http")]).listen_address().unwrap_err();
        assert_eq!(error.to_string(), "cannot listen on the port in APP_PORT");
    }
}
