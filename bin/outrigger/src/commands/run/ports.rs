//! Ports of sidecars: those that are asked for are tried, the others are free ones.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    io,
    net::{Ipv4Addr, TcpListener},
    ops::Range,
};

use outrigger_base_clock::{Entropy, SystemEntropy};

/// Where free ports are looked for: below those that the kernel gives to connections (from 32768 on, by default), since
/// between this choice and the sidecar's own listening one of those would be given away on a busy machine.
const FREE: Range<u16> = 20_000..32_000;

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
    #[error("there is no free port from {} to {} for the {whose}", FREE.start, FREE.end - 1)]
    None { whose: String },
}

/// Ports that were given out. Each is held until this is dropped, so that no port is given twice.
#[derive(Debug)]
pub(crate) struct Ports {
    given: BTreeMap<u16, Given>,
    held: Vec<TcpListener>,
    /// The free port to try next.
    next: u16,
}

/// Who has a port.
#[derive(Debug)]
struct Given {
    /// As it is named.
    whose: String,
    /// Whether it is an app, and no sidecar.
    is_app: bool,
}

impl Default for Ports {
    fn default() -> Self {
        Self::new(&SystemEntropy)
    }
}

impl Ports {
    /// Nothing given yet. Where the search for free ports begins is random, so that programs which start at the same
    /// time do not meet.
    pub(crate) fn new(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 2];
        entropy.fill(&mut bytes);
        let length = FREE.end - FREE.start;
        Self {
            given: BTreeMap::new(),
            held: Vec::new(),
            next: FREE.start + u16::from_le_bytes(bytes) % length,
        }
    }

    /// A port that an app itself will listen on: it is not tried, because the app may run already. Several apps may
    /// name the same one: they may listen on different hosts, run one after the other, or be one process.
    pub(super) fn reserve(&mut self, port: u16, whose: String) -> Result<(), PortError> {
        match self.given.get(&port) {
            Some(first) if first.is_app => Ok(()),
            _ => self.give(port, whose, true),
        }
    }

    fn give(&mut self, port: u16, whose: String, is_app: bool) -> Result<(), PortError> {
        match self.given.entry(port) {
            Entry::Occupied(first) => Err(PortError::Twice {
                port,
                first: first.get().whose.clone(),
                second: whose,
            }),
            Entry::Vacant(place) => {
                place.insert(Given { whose, is_app });
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
        self.give(port, whose.clone(), false)?;
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port));
        let listener = listener.map_err(|source| PortError::Taken { port, whose, source })?;
        self.held.push(listener);
        Ok(port)
    }

    fn take_free(&mut self, whose: String) -> Result<u16, PortError> {
        for _ in FREE {
            let port = self.next;
            self.next = if port + 1 < FREE.end { port + 1 } else { FREE.start };
            // A port that an app asked for, and that nobody listens on yet, is not free either.
            let Entry::Vacant(place) = self.given.entry(port) else {
                continue;
            };
            if let Ok(listener) = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)) {
                self.held.push(listener);
                place.insert(Given { whose, is_app: false });
                return Ok(port);
            }
        }
        Err(PortError::None { whose })
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
        assert!(FREE.contains(&a) && FREE.contains(&b), "{a} {b}");
    }

    #[test]
    fn the_search_goes_on_at_the_beginning() {
        let mut ports = Ports {
            next: FREE.end - 1,
            ..Ports::default()
        };
        ports.reserve(FREE.end - 1, "port of app a".into()).unwrap();
        let port = ports.take(None, "b".into()).unwrap();
        assert!((FREE.start..FREE.start + 100).contains(&port), "{port}");
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

    #[test]
    fn apps_may_share_a_port_and_sidecars_may_not() {
        let mut ports = Ports::default();
        let port = ports.take(None, "HTTP port of app a".into()).unwrap();
        let app = ports.reserve(port, "port of app b".into());
        let sidecar = ports.take(Some(port), "gRPC port of app b".into());
        for twice in [app.map(|()| 0), sidecar] {
            assert!(matches!(twice, Err(PortError::Twice { .. })), "{twice:?}");
        }
        ports.reserve(port - 1, "port of app a".into()).unwrap();
        ports.reserve(port - 1, "port of app b".into()).unwrap();
        let twice = ports.take(Some(port - 1), "HTTP port of app c".into());
        assert!(
            matches!(&twice, Err(PortError::Twice { first, .. }) if first == "port of app a"),
            "{twice:?}"
        );
    }
}
