//! Open loop: requests are due at fixed times, and latency counts from then.
//!
//! Each connection has a thread of its own that sleeps until its next request is due: an asynchronous timer has a
//! resolution of a millisecond, which is ten times what is measured here. A connection whose answer is late sends its
//! next requests as soon as it can, and their time on the waiting line counts.

use std::{
    fs, io, thread,
    time::{Duration, Instant},
};

use tokio::runtime::Runtime;

use super::{Client, Outcome, Plan, Target, on_threads};

/// Linux lets a sleeping thread oversleep by this file's nanoseconds (50,000 by default); threads inherit it.
const TIMER_SLACK: &str = "/proc/self/timerslack_ns";
/// The first request is due so long after the threads were started, time for all to connect.
const HEAD_START: Duration = Duration::from_millis(200);
/// A target so slow that a connection is this far behind ends the run: the rate cannot be had from it.
const GIVE_UP: Duration = Duration::from_secs(30);

/// Runs an open loop of `rate` requests a second over all connections.
pub(super) fn run(target: &Target, plan: &Plan, rate: u32) -> io::Result<Outcome> {
    // Where it cannot be set, latencies have up to 50 µs of oversleep in them, on all sides alike.
    let _ = fs::write(TIMER_SLACK, "1");
    let begin = Instant::now() + HEAD_START;
    let connections = plan.connections.max(1);
    on_threads((0..connections).map(|number| {
        let schedule = Schedule {
            first: begin + Duration::from_secs(1) * number as u32 / rate.max(1),
            interval: Duration::from_secs(1) * connections as u32 / rate.max(1),
            start: begin + plan.warmup,
            end: begin + plan.warmup + plan.duration,
            number: number as u64,
            step: connections as u64,
        };
        let target = target.clone();
        move |runtime: &Runtime| of_one_connection(runtime, &target, &schedule)
    }))
}

/// When a connection's requests are due.
struct Schedule {
    first: Instant,
    interval: Duration,
    /// Requests due from here on are counted.
    start: Instant,
    end: Instant,
    /// The first request's number, and how many numbers the other connections take in between.
    number: u64,
    step: u64,
}

fn of_one_connection(runtime: &Runtime, target: &Target, schedule: &Schedule) -> Outcome {
    let mut client = Client::default();
    let mut outcome = Outcome::default();
    if let Err(error) = runtime.block_on(client.connect(target)) {
        outcome.fail(&error);
    }
    let mut due = schedule.first;
    let mut number = schedule.number;
    while due < schedule.end {
        if let Some(early) = due.checked_duration_since(Instant::now()) {
            thread::sleep(early);
        }
        outcome.sent += 1;
        match runtime.block_on(client.call(target, number)) {
            Ok(()) if due >= schedule.start => outcome.latency.record(due.elapsed()),
            Ok(()) => {}
            Err(error) => outcome.fail(&error),
        }
        due += schedule.interval;
        number += schedule.step;
        if due.elapsed() > GIVE_UP {
            outcome.fail(&Overrun);
            break;
        }
    }
    outcome
}

#[derive(Debug, thiserror::Error)]
#[error("a connection fell 30 s behind: the target does not take this rate")]
struct Overrun;
