//! Ports of sidecars: those that are asked for are tried, the others are free ones.

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, TcpListener},
};

/// A port that cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PortError {
    /// Two places of the plan want it.
    #[error("port {port} is wanted twice: as the {first} and as the {second}")]
    Twice {
        port: u16,
        first: String,
        second: String,
    },
    /// Somebody else has it.
    #[error(
        "port {port}, wanted as the {whose}, is not available: choose another, or end the program that has it"
    )]
    Taken {
        port: u16,
        whose: String,
        source: io::Error,
    },
    /// There is no free port.
    #[error("there is no free port for the {whose}")]
    None { whose: String, source: io::Error },
}

/// Ports that were given out. Each is held until this is dropped, so that no port is given twice.
#[derive(Debug, Default)]
pub(crate) struct Ports {
    given: BTreeMap<u16, String>,
    held: Vec<TcpListener>,
}

impl Ports {
    /// A port that the app itself will listen on: it is not tried, because the app may run already.
    pub(super) fn reserve(&mut self, port: u16, whose: String) -> Result<(), PortError> {
        match self.given.get(&port) {
            Some(first) => Err(PortError::Twice {
                port,
                first: first.clone(),
                second: whose,
            }),
            None => {
                self.given.insert(port, whose);
                Ok(())
            }
        }
    }

    /// The port that is wanted, or a free one.
    pub(crate) fn take(&mut self, wanted: Option<u16>, whose: String) -> Result<u16, PortError> {
        match wanted {
            Some(port) => self.take_wanted(port, whose),
            None => self.take_free(whose),
        }
    }

    fn take_wanted(&mut self, port: u16, whose: String) -> Result<u16, PortError> {
        self.reserve(port, whose.clone())?;
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port));
        let listener = listener.map_err(|source| PortError::Taken { port, whose, source })?;
        self.held.push(listener);
        Ok(port)
    }

    fn take_free(&mut self, whose: String) -> Result<u16, PortError> {
        loop {
            let bound = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0))
                .and_then(|listener| Ok((listener.local_addr()?.port(), listener)));
            let (port, listener) = bound.map_err(|source| PortError::None {
                whose: whose.clone(),
                source,
            })?;
            self.held.push(listener);
            // A port that an app asked for, and that nobody listens on yet, is not free. It is held now, so that the
            // next try gives another.
            if let std::collections::btree_map::Entry::Vacant(place) = self.given.entry(port) {
                place.insert(whose);
                return Ok(port);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_ports_differ() {
        let mut ports = Ports::default();
        let a = ports.take(None, "a".into()).unwrap();
        let b = ports.take(None, "b".into()).unwrap();
        assert_ne!(a, b);
    }

    #[test]
    fn a_port_is_given_once_and_only_if_it_is_free() {
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = other.local_addr().unwrap().port();
        let mut ports = Ports::default();
        let taken = ports.take(Some(port), "HTTP port of app a".into()).unwrap_err();
        assert!(
            matches!(&taken, PortError::Taken { whose, .. } if whose == "HTTP port of app a"),
            "{taken}"
        );
        let mut ports = Ports::default();
        ports.reserve(port, "port of app a".into()).unwrap();
        let twice = ports.take(Some(port), "HTTP port of app b".into()).unwrap_err();
        let text = format!("port {port} is wanted twice: as the port of app a and as the HTTP port of app b");
        assert_eq!(twice.to_string(), text);
    }
}
