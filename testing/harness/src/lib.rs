//! Real servers and processes for tests (internal, no promise).
//!
//! A test that needs a server starts one of its own: on a free port of loopback, with a folder of its own, gone when
//! the guard is dropped. A program that is not installed fails the test and names the Debian package; nothing here
//! ever skips. Waiting is for conditions ([`eventually()`]), never for a while.

mod authority;
mod disk;
mod error;
mod eventually;
mod folder;
mod namespace;
mod port;
mod process;
mod redis;

pub use authority::{Authority, Issued};
pub use disk::SmallDisk;
pub use error::Error;
pub use eventually::{Check, eventually};
pub use folder::Folder;
pub use namespace::{Namespace, NamespacePair};
pub use port::FreePort;
pub use process::{Process, Signal};
pub use redis::{RedisCluster, RedisSentinel, RedisServer};
