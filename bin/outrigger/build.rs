//! How the program is linked.

use std::{env, process::Command};

/// The first glibc whose loader reads packed relative relocations.
const FIRST_GLIBC: (u32, u32) = (2, 36);

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // The addresses that the loader must set take 1 MB otherwise, in the file and, as it reads them all, in memory.
    if target_is_this_machine() && glibc().is_some_and(|version| version >= FIRST_GLIBC) {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Whether this machine's C library tells of the one that the program will run with.
fn target_is_this_machine() -> bool {
    env::var("TARGET").ok() == env::var("HOST").ok()
        && env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "gnu")
        && env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux")
}

/// The version of this machine's glibc: `getconf` prints `glibc 2.36`.
fn glibc() -> Option<(u32, u32)> {
    let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = text.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
