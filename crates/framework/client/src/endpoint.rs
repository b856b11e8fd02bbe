//! Where the sidecar is.

use std::net::{IpAddr, Ipv4Addr};

use http::Uri;
use outrigger_base_std::chain;
use outrigger_transport::{
    client::{Connect, Target},
    tls::ClientTls,
};
use outrigger_wire_names::environment;
use rustls_pki_types::ServerName;

use crate::Error;

/// Port of a sidecar's HTTP API where none is named.
const DEFAULT_PORT: u16 = 3500;

/// Address of a sidecar's HTTP API: `http://host:port` or `https://host:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    host: String,
    port: u16,
    is_tls: bool,
}

impl Endpoint {
    /// The sidecar on this host that listens on `port`.
    pub fn local(port: u16) -> Self {
        Self {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST).to_string(),
            port,
            is_tls: false,
        }
    }

    /// Reads an address. The scheme may be left out (http), the port as well (80, or 443 with https).
    ///
    /// # Errors
    /// [`Error::Input`] when the text is no such address, or names a path.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let wrong = |why: &str| {
            Error::Input(format!(
                "{text:?} is not an address of a sidecar: {why}; expected http://host:port"
            ))
        };
        let full = if text.contains("://") {
            text.to_owned()
        } else {
            format!("http://{text}")
        };
        let uri: Uri = full.parse().map_err(|_| wrong("it is no URL"))?;
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(wrong("its scheme is neither http nor https")),
        };
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(wrong("it has a path"));
        }
        let host = uri.host().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| wrong("it names no host"))?.to_owned();
        let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        Ok(Self { host, port, is_tls })
    }

    /// The sidecar that the environment names: `DAPR_HTTP_ENDPOINT`, or `DAPR_HTTP_PORT` on this host (3500 where
    /// neither is set).
    ///
    /// # Errors
    /// [`Error::Input`] when a variable's value is no address or no port.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let set = |name| lookup(name).filter(|value| !value.trim().is_empty());
        if let Some(endpoint) = set(environment::DAPR_HTTP_ENDPOINT) {
            return Self::parse(&endpoint);
        }
        let Some(port) = set(environment::DAPR_HTTP_PORT) else {
            return Ok(Self::local(DEFAULT_PORT));
        };
        let name = environment::DAPR_HTTP_PORT;
        let wrong = || Error::Input(format!("{name}: {port:?} is not a port; expected 1 to 65535"));
        match port.trim().parse() {
            Ok(0) | Err(_) => Err(wrong()),
            Ok(port) => Ok(Self::local(port)),
        }
    }

    /// How connections to it are made.
    pub(crate) fn connect(&self) -> Result<Connect, Error> {
        let target = Target::new(&self.host, self.port);
        if !self.is_tls {
            return Ok(Connect::plain(target));
        }
        let wrong = |why: String| Error::Input(format!("cannot speak TLS with {}: {why}", self.host));
        let config = ClientTls::default().build(&[b"http/1.1"]);
        let config = config.map_err(|error| wrong(chain(&error)))?;
        let name = ServerName::try_from(self.host.trim_matches(['[', ']']).to_owned());
        Ok(Connect::tls(
            target,
            config,
            name.map_err(|error| wrong(error.to_string()))?,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Endpoint, Error> {
        Endpoint::from_lookup(|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn an_endpoint_comes_before_a_port_and_a_port_before_the_default() {
        assert_eq!(of(&[]).unwrap(), Endpoint::local(3500));
        assert_eq!(of(&[("DAPR_HTTP_PORT", "3600")]).unwrap(), Endpoint::local(3600));
        let both = [
            ("DAPR_HTTP_PORT", "3600"),
            ("DAPR_HTTP_ENDPOINT", "https://sidecar.example"),
        ];
        let endpoint = of(&both).unwrap();
        assert_eq!(
            (endpoint.host.as_str(), endpoint.port, endpoint.is_tls),
            ("sidecar.example", 443, true)
        );
    }

    #[test]
    fn a_bad_address_says_what_was_expected() {
        for bad in ["ftp://x", "http://x/path", "http://", "a b"] {
            let error = Endpoint::parse(bad).unwrap_err().to_string();
            assert!(error.contains("expected http://host:port"), "{error}");
        }
        assert!(of(&[("DAPR_HTTP_PORT", "0")]).is_err());
        assert!(of(&[("DAPR_HTTP_PORT", "http")]).is_err());
    }
}
