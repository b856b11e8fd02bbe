//! The links that multicast goes over: a socket per interface and address family.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use if_addrs::{IfAddr, get_if_addrs};
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};
use tokio::sync::mpsc;

use super::{
    core::{From, PORT, To},
    message::{Message, parse_message},
};
use crate::task;

/// The groups of multicast DNS (RFC 6762, 3).
const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);

/// The largest datagram of multicast DNS, in bytes (RFC 6762, 17).
const DATAGRAM_LIMIT: usize = 9000;

/// How far datagrams go: as far as the number of hops can say, since receivers may check that none was made.
const HOPS: u32 = 255;

/// How many links are opened. A machine with more interfaces is served on the first ones.
const LINKS_LIMIT: usize = 64;

/// How long a link pauses after an error in receiving, such as of an interface that is down.
const ERROR_PAUSE: Duration = Duration::from_millis(200);

/// A message from the network.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) message: Message,
    pub(super) from: From,
}

/// Every link that is open.
#[derive(Debug)]
pub(super) struct Links {
    open: ArcSwap<Vec<Arc<Link>>>,
    /// The interfaces to use, or all.
    interfaces: Option<Vec<String>>,
    heard: mpsc::Sender<Heard>,
    number: AtomicU64,
    complained: AtomicBool,
}

/// An interface under one address family.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    interface: u32,
    v4: bool,
    nets: Vec<Net>,
}

/// An address of ours, and how many of its first bits its neighbours share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Net {
    address: IpAddr,
    prefix: u8,
}

/// An open link.
#[derive(Debug)]
struct Link {
    number: u64,
    place: Place,
    socket: UdpSocket,
    _reader: task::Owned,
}

// === impl Links ===

impl Links {
    /// No link yet. What is heard goes to `heard`; when that is full, it is lost, as datagrams may be.
    pub(super) fn new(interfaces: Option<Vec<String>>, heard: mpsc::Sender<Heard>) -> Self {
        let (open, number, complained) = Default::default();
        Self {
            open,
            interfaces,
            heard,
            number,
            complained,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.load().is_empty()
    }

    /// Opens links to interfaces that came up, and closes those to interfaces that went away. Says whether any is
    /// new. Only the daemon calls this, and the one who starts it.
    pub(super) fn renew(&self) -> bool {
        let before = self.open.load();
        let mut open = Vec::new();
        let mut is_new = false;
        let mut failure = None;
        for place in places(self.interfaces.as_deref()) {
            match before.iter().find(|link| link.place == place) {
                Some(link) => open.push(link.clone()),
                None => match self.link(place) {
                    Ok(link) => {
                        open.push(Arc::new(link));
                        is_new = true;
                    }
                    Err(error) => failure = Some(error),
                },
            }
        }
        self.complain(open.is_empty(), failure);
        self.open.store(Arc::new(open));
        is_new
    }

    /// Sends `message`. Datagrams may be lost, so an error is a note to those who look for one.
    pub(super) fn send(&self, message: &Message, to: To) {
        let bytes = match message.encode() {
            Ok(bytes) => bytes,
            Err(error) => {
                tracing::warn!(%error, "a multicast DNS message was not sent");
                return;
            }
        };
        for link in self.open.load().iter() {
            let target = match to {
                To::Everyone => link.place.group(),
                To::Link(number) if link.number == number => link.place.group(),
                To::One(number, target) if link.number == number => target,
                To::Link(_) | To::One(..) => continue,
            };
            if let Err(error) = link.socket.send_to(&bytes, target) {
                tracing::debug!(%target, interface = link.place.interface, %error, "a multicast DNS message was not sent");
            }
        }
    }

    fn link(&self, place: Place) -> io::Result<Link> {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let socket: UdpSocket = place.open()?.into();
        let reader = Reader {
            socket: tokio::net::UdpSocket::from_std(socket.try_clone()?)?,
            number,
            place: place.clone(),
            heard: self.heard.clone(),
        };
        Ok(Link {
            number,
            place,
            socket,
            _reader: task::spawn("mdns-link", reader.run()),
        })
    }

    fn complain(&self, is_empty: bool, failure: Option<io::Error>) {
        if !is_empty {
            self.complained.store(false, Ordering::Relaxed);
        } else if !self.complained.swap(true, Ordering::Relaxed) {
            let error = failure.unwrap_or_else(|| io::Error::other("no network interface has an address"));
            tracing::warn!(%error, "multicast DNS is not available on this machine; it will find and announce nothing");
        }
    }
}

// === impl Place ===

/// Every interface that has an address, under every family.
fn places(wanted: Option<&[String]>) -> Vec<Place> {
    let found = get_if_addrs().unwrap_or_else(|error| {
        tracing::debug!(%error, "the network interfaces could not be listed");
        Vec::new()
    });
    let mut places: BTreeMap<(u32, bool), Vec<Net>> = BTreeMap::new();
    for interface in found {
        let is_wanted = wanted.is_none_or(|names| names.contains(&interface.name));
        if let (true, Some(index)) = (is_wanted, interface.index) {
            let net = Net::of(&interface.addr);
            places
                .entry((index, net.address.is_ipv4()))
                .or_default()
                .push(net);
        }
    }
    places
        .into_iter()
        .take(LINKS_LIMIT)
        .map(|((interface, v4), nets)| Place { interface, v4, nets })
        .collect()
}

impl Place {
    fn group(&self) -> SocketAddr {
        if self.v4 {
            (GROUP_V4, PORT).into()
        } else {
            (GROUP_V6, PORT).into()
        }
    }

    /// A socket that shares the port with every other program that speaks multicast DNS here, hears what comes in
    /// over this interface, and sends over it.
    ///
    /// On Linux `SO_REUSEADDR` alone shares the port. `SO_REUSEPORT` is asked for only where that does not do, beside
    /// a program that knows nothing else: it puts the sockets of all interfaces into one group, and since Linux 6.6 a
    /// datagram that only one of them joined for may be handed to another one of the group, which loses it.
    fn open(&self) -> io::Result<Socket> {
        if cfg!(target_os = "linux") {
            match self.open_shared(false) {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                opened => return opened,
            }
        }
        self.open_shared(true)
    }

    fn open_shared(&self, reuse_port: bool) -> io::Result<Socket> {
        let domain = if self.v4 { Domain::IPV4 } else { Domain::IPV6 };
        let socket = Socket::new(domain, Type::DGRAM.nonblocking(), Some(Protocol::UDP))?;
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(reuse_port)?;
        if self.v4 {
            self.join_v4(&socket)?;
        } else {
            self.join_v6(&socket)?;
        }
        Ok(socket)
    }

    fn join_v4(&self, socket: &Socket) -> io::Result<()> {
        let local = self.nets.iter().find_map(|net| match net.address {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        });
        let local = local.ok_or_else(|| io::Error::other("the interface has no IPv4 address"))?;
        // Without this the socket would hear what other sockets of the machine joined on other interfaces.
        #[cfg(target_os = "linux")]
        socket.set_multicast_all_v4(false)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT)).into())?;
        socket.join_multicast_v4_n(&GROUP_V4, &InterfaceIndexOrAddress::Index(self.interface))?;
        socket.set_multicast_if_v4(&local)?;
        socket.set_multicast_loop_v4(true)?;
        socket.set_multicast_ttl_v4(HOPS)
    }

    fn join_v6(&self, socket: &Socket) -> io::Result<()> {
        socket.set_only_v6(true)?;
        #[cfg(target_os = "linux")]
        socket.set_multicast_all_v6(false)?;
        socket.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, PORT)).into())?;
        socket.join_multicast_v6(&GROUP_V6, self.interface)?;
        socket.set_multicast_if_v6(self.interface)?;
        socket.set_multicast_loop_v6(true)?;
        socket.set_multicast_hops_v6(HOPS)
    }

    /// Whether `source` is on this link: anybody in the world can send to the port (RFC 6762, 11).
    ///
    /// The kernel gives no source at all to datagrams of senders that choose the loopback interface by its number,
    /// as programs in Go do, when it is the only one; such a datagram cannot have crossed a router either.
    fn is_neighbour(&self, source: IpAddr) -> bool {
        let is_link_local = matches!(source, IpAddr::V6(address) if address.segments()[0] & 0xffc0 == 0xfe80);
        source.is_unspecified() || is_link_local || self.nets.iter().any(|net| net.contains(source))
    }
}

// === impl Net ===

impl Net {
    fn of(address: &IfAddr) -> Self {
        match address {
            IfAddr::V4(address) => Self {
                address: address.ip.into(),
                prefix: address.prefixlen,
            },
            IfAddr::V6(address) => Self {
                address: address.ip.into(),
                prefix: address.prefixlen,
            },
        }
    }

    fn contains(self, other: IpAddr) -> bool {
        let differ = match (self.address, other) {
            (IpAddr::V4(own), IpAddr::V4(other)) => (own.to_bits() ^ other.to_bits()).leading_zeros(),
            (IpAddr::V6(own), IpAddr::V6(other)) => (own.to_bits() ^ other.to_bits()).leading_zeros(),
            _ => return false,
        };
        differ >= u32::from(self.prefix)
    }
}

// === Reader ===

/// What hears on a link.
struct Reader {
    socket: tokio::net::UdpSocket,
    number: u64,
    place: Place,
    heard: mpsc::Sender<Heard>,
}

impl Reader {
    async fn run(self) {
        let mut buffer = vec![0; DATAGRAM_LIMIT];
        loop {
            match self.socket.recv_from(&mut buffer).await {
                Ok((len, source)) => self.take(&buffer[..len], source),
                Err(error) => {
                    tracing::debug!(interface = self.place.interface, %error, "a multicast DNS link does not receive");
                    tokio::time::sleep(ERROR_PAUSE).await;
                }
            }
        }
    }

    fn take(&self, bytes: &[u8], source: SocketAddr) {
        if !self.place.is_neighbour(source.ip()) {
            tracing::trace!(%source, "a multicast DNS message from beyond the link is ignored");
            return;
        }
        match parse_message(bytes) {
            Ok(message) => {
                let from = From {
                    link: self.number,
                    interface: self.place.interface,
                    source,
                };
                // A full queue means a flood: what is lost is asked for again.
                let _ = self.heard.try_send(Heard { message, from });
            }
            Err(error) => tracing::trace!(%source, %error, "not a multicast DNS message"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_share_the_prefix() {
        let net = |address: &str, prefix| Net {
            address: address.parse().unwrap(),
            prefix,
        };
        let nets = vec![net("10.1.2.3", 24), net("fd00::1", 64)];
        let place = Place {
            interface: 1,
            v4: true,
            nets,
        };
        for (source, expected) in [
            ("10.1.2.99", true),
            ("10.1.3.99", false),
            ("fd00::99", true),
            ("fd00:0:0:1::99", false),
            ("fe80::99", true),
            ("127.0.0.1", false),
            ("0.0.0.0", true),
        ] {
            assert_eq!(place.is_neighbour(source.parse().unwrap()), expected, "{source}");
        }
        assert!(net("10.1.2.3", 32).contains("10.1.2.3".parse().unwrap()));
        assert!(net("10.1.2.3", 0).contains("99.1.2.3".parse().unwrap()));
    }
}
