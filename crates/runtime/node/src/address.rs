//! The address that peers reach this host at.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use outrigger_resource_manifest::Env;
use outrigger_wire_names::environment;

/// An address that routes lead to outside; nothing is ever sent to it.
const ELSEWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)), 9);

/// The address that peers are told: the environment's, or the one that the internal port listens on, or that of the
/// interface which leads outside, or the loopback address where there is none.
pub fn host_address(env: &dyn Env, internal: IpAddr) -> IpAddr {
    let named = env
        .var(environment::DAPR_HOST_IP)
        .and_then(|text| text.trim().parse().ok());
    named
        .or_else(|| (!internal.is_unspecified()).then_some(internal))
        .or_else(outward_address)
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

#[cfg(test)]
mod tests {
    use super::*;

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
