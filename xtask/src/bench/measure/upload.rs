//! A large upload of unknown length: does anybody keep it?

use std::{process::Command, thread, time::Duration};

use super::{Subject, Values, chain::Chain};
use crate::bench::{
    failure::{Failure, Result, Tried},
    lab::Lab,
    load,
};

/// Bytes that are sent.
const BYTES: u64 = 512 * 1024 * 1024;
/// The sidecars' body limit, above that.
const MAX_BODY: &str = "1Gi";
/// Between two looks at the memory.
const LOOK: Duration = Duration::from_millis(10);

/// Sends the upload and watches the processes between.
pub(super) fn run(lab: &Lab, subject: Subject) -> Result<Values> {
    let chain = Chain::start(lab, subject, false, "sink", Some(MAX_BODY))?;
    let before = chain.memory()?;
    let mut peak = before.clone();
    let mut command = Command::new(&lab.programs.limit);
    command.args(["upload", "--url", chain.url(), "--bytes", &BYTES.to_string()]);
    let mut child = load::spawn(&mut command)?;
    while child
        .try_wait()
        .tried(|| "waiting for the upload".to_owned())?
        .is_none()
    {
        for (peak, now) in peak.iter_mut().zip(chain.memory()?) {
            peak.resident = peak.resident.max(now.resident);
        }
        thread::sleep(LOOK);
    }
    let report = load::line(child)?;
    if report["answer"].as_str() != Some(&BYTES.to_string()) {
        return Err(Failure::new(format!(
            "the app got {} bytes instead of {BYTES}",
            report["answer"]
        )));
    }
    let growth = peak
        .iter()
        .zip(&before)
        .map(|(peak, before)| peak.resident - before.resident)
        .fold(0.0, f64::max);
    let speed = report["megabytes_per_second"].as_f64().unwrap_or(f64::NAN);
    Ok(Values::from([
        ("growth_mb".to_owned(), growth),
        ("mb_per_s".to_owned(), speed),
    ]))
}
