//! Command lines of the sidecar.
//!
//! The flags belong to a program, which no crate can depend on; so their file is compiled here once more.

#[allow(
    dead_code,
    unreachable_pub,
    reason = "another crate's file, of which not everything is used here"
)]
#[path = "../../../bin/outrigger/src/sidecar/flags.rs"]
mod sidecar;

use sidecar::{FLAGS, Flags, Kind};

/// Each line is an argument.
pub fn run(data: &[u8]) {
    let text = crate::text(data);
    let arguments: Vec<String> = text.lines().map(str::to_owned).collect();
    let Ok(flags) = Flags::parse(&arguments) else {
        return;
    };
    for flag in FLAGS {
        match flag.kind {
            Kind::Number => drop(flags.number(flag.name)),
            Kind::Switch => drop(flags.is_set(flag.name)),
            Kind::List => drop(flags.list(flag.name)),
            Kind::Text | Kind::Duration => drop(flags.text(flag.name)),
        }
    }
    let _ = flags.without_room().count();
}
