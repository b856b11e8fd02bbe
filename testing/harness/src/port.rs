//! Free ports.

use std::net::{Ipv4Addr, TcpListener};

use crate::Error;

/// A free TCP port of loopback, held until it is used so that nobody else is given it meanwhile.
#[derive(Debug)]
pub struct FreePort {
    held: TcpListener,
    number: u16,
}

impl FreePort {
    /// Takes a free port from the operating system.
    pub fn hold() -> Result<Self, Error> {
        let fail = |error| Error::io("bind a free port of 127.0.0.1", error);
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(fail)?;
        let number = held.local_addr().map_err(fail)?.port();
        Ok(Self { held, number })
    }

    /// The port's number, while it stays held.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// Lets go of the port: bind it at once.
    pub fn release(self) -> u16 {
        drop(self.held);
        self.number
    }
}
