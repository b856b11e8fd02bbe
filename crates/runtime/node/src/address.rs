//! The address that peers reach this host at.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use if_addrs::Interface;
use outrigger_resource_manifest::Env;
use outrigger_wire_names::environment;

/// An address that routes lead to outside; nothing is ever sent to it.
const ELSEWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)), 9);

/// The address that peers are told: the environment's, or the one that the internal port listens on, or that of the
/// interface which leads outside, or, where no route does, that of the first interface with a network of its own, or
/// the loopback address where there is none.
pub fn host_address(env: &dyn Env, internal: IpAddr) -> IpAddr {
    let named = env
        .var(environment::DAPR_HOST_IP)
        .and_then(|text| text.trim().parse().ok());
    named
        .or_else(|| (!internal.is_unspecified()).then_some(internal))
        .or_else(outward_address)
        .or_else(|| neighbourly_address(&if_addrs::get_if_addrs().unwrap_or_default()))
        .unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

/// The address of the interface that leads outside. Connecting a datagram socket sends nothing: it only asks the
/// routing table.
fn outward_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect(ELSEWHERE).ok()?;
    socket
        .local_addr()
        .ok()
        .map(|address| address.ip())
        .filter(|ip| !ip.is_unspecified())
}

/// The address of the first interface that has neighbours: machines on one cable reach each other without a route to
/// anywhere else. IPv4 comes first, as peers of Dapr's dial what they are told without a zone.
fn neighbourly_address(interfaces: &[Interface]) -> Option<IpAddr> {
    let addresses = || {
        interfaces
            .iter()
            .filter(|interface| !interface.is_loopback() && !interface.is_link_local())
            .map(Interface::ip)
    };
    addresses().find(IpAddr::is_ipv4).or_else(|| addresses().next())
}

#[cfg(test)]
mod tests {
    use if_addrs::{IfAddr, Ifv4Addr, Ifv6Addr};

    use super::*;

    fn interface(name: &str, ip: &str) -> Interface {
        let addr = match ip.parse().unwrap() {
            IpAddr::V4(ip) => IfAddr::V4(Ifv4Addr {
                ip,
                netmask: Ipv4Addr::new(255, 255, 255, 0),
                prefixlen: 24,
                broadcast: None,
            }),
            IpAddr::V6(ip) => IfAddr::V6(Ifv6Addr {
                ip,
                netmask: "ffff:ffff:ffff:ffff::".parse().unwrap(),
                prefixlen: 64,
                broadcast: None,
            }),
        };
        Interface {
            name: name.to_owned(),
            addr,
            index: None,
            oper_status: if_addrs::IfOperStatus::Up,
            is_p2p: false,
        }
    }

    #[test]
    fn an_interface_with_neighbours_does_without_a_route() {
        let (lo, link) = (interface("lo", "127.0.0.1"), interface("e0", "fe80::1"));
        let (six, four) = (interface("e0", "fd00::1"), interface("e1", "10.203.0.1"));
        assert_eq!(neighbourly_address(&[lo.clone(), link.clone()]), None);
        assert_eq!(
            neighbourly_address(&[lo.clone(), link.clone(), six.clone()]),
            Some("fd00::1".parse().unwrap())
        );
        assert_eq!(
            neighbourly_address(&[lo, link, six, four]),
            Some("10.203.0.1".parse().unwrap())
        );
    }

    #[test]
    fn the_environment_comes_first_and_a_bound_address_second() {
        let none = |_: &str| None;
        let set = |name: &str| (name == "DAPR_HOST_IP").then(|| "10.1.2.3".to_owned());
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        assert_eq!(
            host_address(&set, loopback),
            IpAddr::V4(Ipv4Addr::new(10, 1, 2, 3))
        );
        assert_eq!(host_address(&none, loopback), loopback);
        assert!(!host_address(&none, IpAddr::V4(Ipv4Addr::UNSPECIFIED)).is_unspecified());
    }
}
