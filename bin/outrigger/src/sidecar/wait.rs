//! `--wait`: until another sidecar is ready for outbound calls.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    process::ExitCode,
    thread,
    time::Duration,
};

/// Time between two looks, as in Dapr's own wait.
const INTERVAL: Duration = Duration::from_millis(100);
/// Time for one answer.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Asks the sidecar on this host until it says that it is ready.
#[allow(clippy::disallowed_methods, reason = "nothing else runs in this process")]
pub(crate) fn until_outbound_ready(port: u16) -> ExitCode {
    while !is_ready(port).unwrap_or(false) {
        thread::sleep(INTERVAL);
    }
    ExitCode::SUCCESS
}

fn is_ready(port: u16) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    let path = outrigger_wire_names::routes::HEALTHZ_OUTBOUND;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    )?;
    let mut head = [0u8; 12];
    stream.read_exact(&mut head)?;
    Ok(head.starts_with(b"HTTP/1.1 204"))
}
