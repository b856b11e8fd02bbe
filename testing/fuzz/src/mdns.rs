//! Messages of multicast DNS.

use outrigger_discovery::mdns::message::parse_message;

/// What is understood can be said again, and means the same.
pub fn run(data: &[u8]) {
    let Ok(message) = parse_message(data) else { return };
    let again = message.encode().expect("what was read can be written");
    assert_eq!(
        parse_message(&again).expect("what was written can be read"),
        message
    );
}
