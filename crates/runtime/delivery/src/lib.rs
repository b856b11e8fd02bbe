//! Subscriptions at work, the same for every broker: component → route → envelope → resilience → dead letter → app.
//!
//! [`Subscriptions`] asks the app what it wants, merges that with what is declared, and lets a broker deliver. What a
//! message becomes is decided in one place, the courier, whoever receives it: the app over its channel, one by one or in
//! bulk, or a stream that the app opened ([`StreamSubscription`]). A message is acknowledged only after the app's answer,
//! or after the dead-letter topic has it (invariant 7); so it may come twice and is never lost on our side.
//!
//! Whoever makes [`Subscriptions`] also gets the transactional outbox: transactions of state stores that ask for it are
//! announced before they are committed, and published once they are.
//!
//! Facts: dapr-runtime.md §2.4, §3.2, §3.4, §3.5, §6.3, §6.12. Where we differ from the peers, and why:
//!
//! - A failed delivery counts once in `process_status="retry"`; they count it a second time when they give it back.
//! - Metrics of bulk deliveries name the component; they write the constant `pubsubName` there.
//! - An event of a bulk delivery that no rule matches is dropped, as a single one is; they deliver it to the path "".
//! - A dropped event of a bulk delivery whose dead letter fails goes back to the broker; they acknowledge it.
//! - An announcement is looked up at once, then after the second that they always wait.

mod ask;
mod bulk;
mod courier;
mod keeper;
mod life;
mod merge;
mod metrics;
mod outbox;
mod outlet;
mod standing;
mod stream;
mod subscriptions;

pub use stream::{Answers, StreamEvent, StreamSubscription};
pub use subscriptions::{InboundPolicy, Settings, Subscriptions};
