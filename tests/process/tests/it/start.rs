//! A sidecar that is started with something wrong says what, and ends, goes on or waits as it should.

mod flags;
mod full_disk;
mod manifests;
mod redis;
mod sqlite;
