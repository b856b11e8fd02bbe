//! Log lines as Go's logrus writes them.
//!
//! ```text
//! time="2026-02-03T04:05:06.7Z" level=info msg="app discovered on port 3000" app_id=web instance=host scope=dapr.runtime type=log ver=1.19.0
//! ```
//!
//! Log shippers, test suites and people match these lines, so the form is fixed to the byte: `time`, `level` and `msg`
//! first, then all fields in alphabetical order; a value is quoted as Go's `%q` if it holds anything but
//! `[a-zA-Z0-9._/@^+-]`; the level *warn* is spelt `warning`. With [`Config::json`] a line is one JSON object whose keys
//! are sorted.
//!
//! The fields of a line come from, later ones winning: [`Config::context`] (the program's: instance, version), the
//! scope, the spans the event is in (an embedded runtime puts its `app_id` there: two runtimes share the program's
//! subscriber), and the event itself. A field may not be called `time`, `level` or `msg`; it becomes `fields.time`.
//!
//! An event's **scope** is its `tracing` target if that begins with [`Scopes::prefix`], else what [`Scopes::modules`]
//! says of its Rust module. Events of neither are *foreign*: libraries we use. They are shown from *warn* upwards, so
//! that `--log-level=debug` shows our debugging and not that of an HTTP library.
//!
//! An `ERROR` event with the field `fatal = true` is written as level `fatal`. That it ends the process is the
//! program's business.

mod layer;
mod level;
mod line;
mod output;
mod rotate;
mod scope;

pub use layer::{Config, LogLayer, LogStats};
pub use level::{Level, LevelError};
pub use output::{Output, OutputError};
pub use rotate::Rotation;
pub use scope::Scopes;

pub use crate::go::{Layout, LayoutError};
