//! A member of the mesh: the runtime's parts assembled, run and drained.
//!
//! The program's sidecar and the framework's embedded mode are both a [`Node`]: it opens the components, finds peers and
//! is found by them, reaches its app, and comes to an end in phases. Faces are put in front of [`Node::api`] by whoever
//! assembles the program. A node spawns on the runtime it is started on; connections go to the worker runtimes it is
//! given. It builds no runtime of its own, and two nodes live in one process without knowing of each other.

mod address;
mod app;
mod discovery;
mod drain;
mod ground;
mod load;
mod node;
mod options;
mod resolution;
mod spans;
mod unbuilt;

pub use address::host_address;
pub use discovery::{multicast, registry_dir};
pub use load::{LoadError, Loaded, load};
pub use node::{Node, StartError};
pub use options::{AppOptions, DrainOptions, Options};
pub use resolution::ResolutionError;
pub use unbuilt::Unbuilt;
