//! `build-info`: how this program was built.

use std::process::ExitCode;

use outrigger_base_std::BoxError;
use outrigger_wire_names::version;

use super::printout::print;

/// Print how this program was built
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn apply(_: Args) -> Result<ExitCode, BoxError> {
    let profile = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    let text = format!(
        "CLI:\n\tVersion: {}\n\tTarget: {}-{}\n\tProfile: {profile}\nRuntime:\n\tVersion: {}\n",
        version::OUTRIGGER,
        std::env::consts::ARCH,
        std::env::consts::OS,
        version::DAPR,
    );
    print(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
