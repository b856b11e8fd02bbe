//! Connection strings of the SQLite store.
//!
//! The store's only public door opens the file that a string names, which no fuzzer should; so the file of the parser
//! is compiled here once more.

#[allow(
    dead_code,
    unreachable_pub,
    reason = "another crate's file, of which not everything is used here"
)]
#[path = "../../../crates/component/sqlite/src/connection_string.rs"]
mod connection_string;

use connection_string::ConnectionString;

/// What SQLite is given is a URI of its own, and no pragma that the store keeps to itself.
pub fn run(data: &[u8]) {
    let Ok(string) = ConnectionString::parse(&crate::text(data)) else {
        return;
    };
    assert!(string.uri.starts_with("file:"), "{}", string.uri);
    for pragma in &string.pragmas {
        assert!(!pragma.contains([';', '\0']), "{pragma}");
        for own in ["busy_timeout", "journal_mode", "foreign_keys"] {
            assert!(!pragma.to_ascii_lowercase().starts_with(own), "{pragma}");
        }
    }
    let _ = string.lock.begin();
}
