//! Which route an event takes: compiled CEL rules, tested in order.
//!
//! A [`Router`] is made once from a subscription's rules and asked for every event. Most rules compare the event's type
//! with a text; those never start an interpreter and never need the event's data parsed ([`EventView`]). The meaning of
//! an expression is that of Dapr's CEL: numbers of an event are doubles, a field that is not there is an error unless
//! `has()` asks for it, `&&` and `||` pass over the error of one side when the other side decides.
//!
//! ```
//! use outrigger_engine_routing::{Router, Rule};
//! use serde_json::json;
//!
//! let router = Router::compile(&[
//!     Rule { expression: r#"event.type == "order.created""#, path: "/created" },
//!     Rule { expression: "has(event.data.rush) && event.data.rush", path: "/rush" },
//!     Rule { expression: "", path: "/other" },
//! ])?;
//! let event = json!({"type": "order.changed", "data": {"rush": true}});
//! assert_eq!(router.route(&event)?, Some("/rush"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod event;
mod expression;
mod json;
mod router;
mod shape;
mod simple;

pub use error::{CompileError, RouteError};
pub use event::{Attribute, EventView};
pub use router::{MAX_DEPTH, MAX_EXPRESSION_BYTES, Needs, Router, Rule};
