//! Retry schedules, and the slot for every other policy.
//!
//! A path that may be repeated holds a [`Policy`]. Compiled policies cost nothing where there is none: [`Policy::none`]
//! calls straight through. A call that fails tells with [`Verdict`] whether repeating it makes sense and hands back what
//! it needs to be repeated; the policy decides whether there is another attempt and when.
//!
//! ```
//! use std::time::Duration;
//! use outrigger_resilience::{Backoff, Policy, Verdict};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let policy = Policy::retry(Backoff::constant(Duration::from_secs(1)), 3);
//! let answer = policy
//!     .run(0, |attempt: u32| async move {
//!         if attempt < 2 { Err(Verdict::Again { error: "busy", input: attempt + 1 }) } else { Ok("done") }
//!     })
//!     .await;
//! assert_eq!(answer, Ok("done"));
//! # }
//! ```

mod backoff;
mod policy;

pub use backoff::{Backoff, Delays};
pub use policy::{Policy, Verdict};
