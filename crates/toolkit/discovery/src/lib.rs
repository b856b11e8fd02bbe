//! Name resolution: from the name of a service to the addresses that serve it now.
//!
//! The crate is two traits and what stands on them:
//!
//! * [`Resolve`] answers "who serves this [`Name`]?" with a shared list of [`Endpoint`]s, and
//!   [`Register`] announces the instance that asks, until its [`Registration`] is closed or dropped;
//! * [`Cache`] keeps the answers of a slow resolver, refreshes them behind the callers' backs and
//!   drops an address that could not be dialled; [`Chain`] asks several resolvers in order;
//! * the drivers, a cargo feature each:
//!   - `static-list`: [`StaticList`](static_list::StaticList), names and addresses from a configuration;
//!   - `registry`: [`Registry`](registry::Registry), the instances of one machine as files of a directory;
//!   - `mdns`: [`Mdns`](mdns::Mdns), DNS-SD over multicast DNS.
//!
//! # The hot path
//!
//! [`Resolve::cached`] is synchronous and does not allocate: it takes a borrowed [`NameRef`] and hands out
//! a clone of an `Arc`. A caller asks it first and awaits [`Resolve::resolve`] only when it knows nothing:
//!
//! ```
//! # use std::sync::Arc;
//! use outrigger_discovery::{Endpoint, Error, Name, NameRef, Resolve};
//!
//! async fn endpoints(resolver: &dyn Resolve, id: &str) -> Result<Arc<[Endpoint]>, Error> {
//!     match resolver.cached(NameRef::new(id)) {
//!         Some(endpoints) => Ok(endpoints),
//!         None => resolver.resolve(&Name::new(id)).await,
//!     }
//! }
//! ```
//!
//! # An example
//!
//! ```
//! # #[cfg(feature = "static-list")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), outrigger_discovery::Error> {
//! use outrigger_discovery::{Cache, CacheOptions, Chain, Name, Resolve, static_list::StaticList};
//!
//! let written_down = StaticList::from_iter([(Name::new("orders"), ["127.0.0.1:3000".parse().unwrap()])]);
//! let resolver = Cache::new(Chain::new().with("static", written_down), CacheOptions::default());
//!
//! let endpoints = resolver.resolve(&Name::new("orders")).await?;
//! assert_eq!(endpoints[0].address.port(), 3000);
//! assert!(resolver.resolve(&Name::new("nobody")).await.unwrap_err().is_not_found());
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "static-list"))]
//! # fn main() {}
//! ```
//!
//! Nothing in this crate knows a particular mesh: the forms of records, paths and lifetimes are arguments.

mod cache;
mod chain;
mod endpoint;
mod error;
#[cfg(feature = "mdns")]
pub mod mdns;
mod name;
mod name_map;
mod register;
#[cfg(feature = "registry")]
pub mod registry;
mod resolve;
#[cfg(feature = "static-list")]
pub mod static_list;
mod task;

pub use cache::{Cache, CacheOptions};
pub use chain::Chain;
pub use endpoint::{Endpoint, Endpoints, Metadata};
pub use error::{BoxError, Error};
pub use name::{Name, NameRef, ParseNameError};
pub use register::{Instance, Register, Registration};
pub use resolve::{BoxFuture, Resolve};
