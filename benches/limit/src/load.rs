//! The load generator: the same one for every system under test.
//!
//! Closed loop asks how much a system can do: each connection sends its next request when the last was answered. Open
//! loop asks how long a request takes when it does not care how long others took: requests have a time at which they
//! are due, and latency counts from then, sent late or not (otherwise a stall of one second would be one slow request
//! and not a thousand).

mod client;
mod closed;
mod open;
mod report;
mod target;
mod template;
mod upload;

use std::{
    io, thread,
    time::{Duration, Instant},
};

use tokio::runtime::{Builder, Runtime};

pub use client::{Client, ClientError};
pub use report::{Outcome, Report};
pub use target::{InvalidTarget, Target, TargetSpec};
pub use template::Template;
pub use upload::upload;

/// What is spoken with the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Protocol {
    /// HTTP/1.1.
    Http,
    /// Unary gRPC: HTTP/2, the body framed as one message, `grpc-status` checked.
    Grpc,
}

/// How much load, for how long.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Connections, each with one request at a time.
    pub connections: usize,
    /// Requests a second over all connections; none is closed loop.
    pub rate: Option<u32>,
    /// Requests in all, after which a closed loop ends before its time.
    pub requests: Option<u64>,
    /// Threads of a closed loop; an open loop has one for each connection.
    pub threads: usize,
    /// Time before counting begins.
    pub warmup: Duration,
    /// Time counted.
    pub duration: Duration,
}

/// Runs the plan against the target and says what came back.
///
/// # Errors
/// When a thread or its runtime cannot be made; failed requests are counted, not returned.
pub fn run(target: &Target, plan: &Plan) -> io::Result<Report> {
    let begun = Instant::now();
    let outcome = match plan.rate {
        None => closed::run(target, plan)?,
        Some(rate) => open::run(target, plan, rate)?,
    };
    let counted = begun.elapsed().saturating_sub(plan.warmup);
    let ended_early = plan.requests.is_some() && counted < plan.duration;
    Ok(Report {
        outcome,
        duration: if ended_early { counted } else { plan.duration },
    })
}

/// Runs each part on a thread and a runtime of its own, and merges what they saw.
fn on_threads<P>(parts: impl Iterator<Item = P>) -> io::Result<Outcome>
where
    P: FnOnce(&Runtime) -> Outcome + Send + 'static,
{
    let mut threads = Vec::new();
    for (number, part) in parts.enumerate() {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let name = format!("load-{number}");
        threads.push(thread::Builder::new().name(name).spawn(move || part(&runtime))?);
    }
    let mut outcome = Outcome::default();
    for thread in threads {
        let panicked = |_| io::Error::other("a thread of the load generator panicked");
        outcome.merge(thread.join().map_err(panicked)?);
    }
    Ok(outcome)
}
