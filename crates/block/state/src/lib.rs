//! The state building block: what a key-value store is, whatever carries it.
//!
//! A [`Store`] has a small core (get, set, delete) and optional views ([`Transactional`], [`KeysLike`],
//! [`DeleteWithPrefix`]); bulk operations have defaults that run the single ones side by side. Rules every store
//! keeps: components.md §0.6 and §4; they are checked by the suite in `conformance` (feature of that name).

mod error;
mod key;
mod request;
mod store;
mod ttl;

#[cfg(feature = "conformance")]
pub mod conformance;

pub use error::Error;
pub use key::{KeyError, KeyPrefix, SEPARATOR};
pub use request::{
    Concurrency, Consistency, DeleteRequest, ETag, GetRequest, Item, Metadata, Operation, Options,
    SetRequest, Value,
};
pub use store::{BulkGet, Capability, DeleteWithPrefix, KeysLike, KeysPage, Store, Transactional};
pub use ttl::{Ttl, TtlError};
