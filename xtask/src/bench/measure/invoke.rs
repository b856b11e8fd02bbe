//! Service invocation: 1 KB there and back.

use std::time::Instant;

use super::{Subject, Values, chain, chain::Chain};
use crate::bench::{
    failure::Result,
    lab::Lab,
    load::{FULL_SPEED, Loaded, RATE_CONNECTIONS},
};

/// Runs a load over a chain, and looks at the processes between before and after.
pub(super) fn run(lab: &Lab, subject: Subject, grpc: bool, rate: Option<u32>) -> Result<Values> {
    let chain = Chain::start(lab, subject, grpc, "echo", None)?;
    let connections = if rate.is_some() {
        RATE_CONNECTIONS
    } else {
        FULL_SPEED
    };
    let mut load = chain.load(connections, rate);
    load.echo = true;
    let before = chain.cpu()?;
    let begun = Instant::now();
    let loaded = load.run(lab)?;
    let seconds = begun.elapsed().as_secs_f64();
    let cpu: Vec<f64> = chain
        .cpu()?
        .iter()
        .zip(before)
        .map(|(after, before)| after - before)
        .collect();
    Ok(chain::values(&loaded, &cpu, seconds, &chain.memory()?))
}

/// A load's report by name.
pub(super) fn latencies(loaded: &Loaded) -> Values {
    let named = [
        ("rps", loaded.rps),
        ("p50", loaded.p50),
        ("p90", loaded.p90),
        ("p99", loaded.p99),
        ("p999", loaded.p999),
        ("max", loaded.max),
    ];
    named
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
