//! `list`: which sidecars run on this machine.

mod row;

use std::process::ExitCode;

use outrigger_base_clock::{Clock, SystemClock};
use outrigger_base_std::BoxError;
use outrigger_base_task::TaskSet;

use super::{
    KubernetesUnbuilt,
    api::{Client, Metadata},
    block_on,
    printout::print,
    process_table::{Sidecar, sidecars},
    table::table,
};
pub(crate) use row::Row;

/// What there is to say when there is nothing to list.
const NONE: &str = "No Dapr instances found.";

/// List the sidecars that run on this machine, ours and Dapr's
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How the list is written
    #[arg(short, long, value_enum, default_value = "table")]
    output: Output,
    #[arg(short, long, hide = true)]
    kubernetes: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Output {
    Table,
    Json,
    Yaml,
}

pub(crate) fn apply(args: Args) -> Result<ExitCode, BoxError> {
    if args.kubernetes {
        return Err(KubernetesUnbuilt.into());
    }
    let rows = block_on(rows())??;
    let text = match args.output {
        Output::Json => format!("{}\n", serde_json::to_string_pretty(&rows)?),
        Output::Yaml => row::yaml(&rows)?,
        Output::Table if rows.is_empty() => format!("{NONE}\n"),
        Output::Table => {
            let cells: Vec<_> = rows.iter().map(Row::cells).collect();
            table(&row::HEADINGS, &cells)
        }
    };
    print(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Every sidecar, with what it says of itself where it answers.
pub(crate) async fn rows() -> Result<Vec<Row>, BoxError> {
    let (tasks, now) = (TaskSet::new("list"), SystemClock.now());
    let found = sidecars()?;
    let asked = found.iter().map(|sidecar| metadata(sidecar, &tasks));
    let metadata = futures_util::future::join_all(asked).await;
    Ok(found
        .iter()
        .zip(metadata)
        .map(|(sidecar, metadata)| Row::new(sidecar, &metadata, now))
        .collect())
}

/// What a sidecar says of itself; nothing where it does not answer, which is no reason to leave it out.
async fn metadata(sidecar: &Sidecar, tasks: &TaskSet) -> Metadata {
    match Client::new(sidecar.endpoint.clone(), tasks.clone()) {
        Ok(client) => client.metadata().await.unwrap_or_default(),
        Err(_) => Metadata::default(),
    }
}
