//! `invoke`: calls a method of an app through its sidecar.

use std::{path::PathBuf, process::ExitCode};

use bytes::Bytes;
use http::Response;
use http_body_util::BodyExt;
use outrigger_base_std::{BoxError, chain};
use outrigger_base_task::TaskSet;
use outrigger_transport::Body;

use super::{
    Context,
    api::{ApiError, Client, Endpoint},
    block_on, flag,
    printout::print,
    process_table::sidecars,
    talk::Mark,
};

/// Call a method of an app through its sidecar
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The app
    #[arg(short, long)]
    app_id: String,
    /// The method: a path, with a query if need be
    #[arg(short, long)]
    method: String,
    /// The body of the request
    #[arg(short, long, allow_hyphen_values = true)]
    data: Option<String>,
    /// The HTTP verb
    #[arg(short, long, default_value = "POST")]
    verb: String,
    /// A file that holds the body of the request
    #[arg(short = 'f', long, value_name = "FILE", value_parser = flag::path())]
    data_file: Option<PathBuf>,
    /// Folder of the sidecar's Unix sockets
    #[arg(short, long, value_name = "FOLDER", value_parser = flag::path())]
    unix_domain_socket: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  outrigger invoke --app-id orders --method new --data '{\"id\": 1}'
  outrigger invoke --app-id orders --method list?state=open --verb GET";

/// Why a call was not made, or gave no answer. The texts are those of Dapr's CLI.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// Both forms of data were given.
    #[error("Only one of --data and --data-file allowed in the same {0} command")]
    TwoBodies(&'static str),
    /// The data cannot be read.
    #[error("Error reading payload from '{}'. Error: {cause}", .path.display())]
    Payload { path: PathBuf, cause: std::io::Error },
    /// There is no sidecar of the app.
    #[error("error invoking app {0}: app ID {0} not found")]
    NoApp(String),
    /// The call failed.
    #[error("error invoking app {app_id}: {reason}")]
    Invoke { app_id: String, reason: String },
}

pub(crate) fn apply(args: Args, context: &Context) -> Result<ExitCode, BoxError> {
    let body = payload("invoke", args.data.as_deref(), args.data_file)?;
    let endpoint = match &flag::some_path(args.unix_domain_socket) {
        Some(folder) => Endpoint::socket(folder, &args.app_id),
        None => endpoint(&args.app_id)?.ok_or_else(|| CallError::NoApp(args.app_id.clone()))?,
    };
    block_on(async {
        let client = Client::new(endpoint, TaskSet::new("invoke"))?;
        let answer = client.invoke(&args.app_id, &args.verb, &args.method, body).await;
        let response = answer.map_err(|error| CallError::Invoke {
            app_id: args.app_id.clone(),
            reason: reason(&error),
        })?;
        show(response).await
    })??;
    context.talk.say(Mark::Success, "App invoked successfully");
    Ok(ExitCode::SUCCESS)
}

/// The data of a call: of the flag, or of a file, or none.
pub(crate) fn payload(
    command: &'static str,
    data: Option<&str>,
    file: Option<PathBuf>,
) -> Result<Bytes, CallError> {
    let data = data.filter(|data| !data.is_empty());
    match (data, flag::some_path(file)) {
        (Some(_), Some(_)) => Err(CallError::TwoBodies(command)),
        (Some(data), None) => Ok(Bytes::copy_from_slice(data.as_bytes())),
        (None, Some(path)) => std::fs::read(&path)
            .map(Bytes::from)
            .map_err(|cause| CallError::Payload { path, cause }),
        (None, None) => Ok(Bytes::new()),
    }
}

/// Where the sidecar of an app is; the oldest process where it has several.
pub(crate) fn endpoint(app_id: &str) -> Result<Option<Endpoint>, BoxError> {
    let found = sidecars()?.into_iter().find(|sidecar| sidecar.app_id == app_id);
    Ok(found.map(|sidecar| sidecar.endpoint))
}

/// An error with its causes, and what the other side said.
pub(crate) fn reason(error: &ApiError) -> String {
    match error.detail() {
        Some(detail) => format!("{}\n{detail}", chain(error)),
        None => chain(error),
    }
}

/// Writes the answer as it comes, and a line feed behind it if there was anything.
async fn show(response: Response<Body>) -> Result<(), BoxError> {
    let (mut body, mut any) = (response.into_body(), false);
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            any |= !data.is_empty();
            print(&data)?;
        }
    }
    if any {
        print(b"\n")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_comes_from_one_place() {
        let file = PathBuf::from("no/such/file");
        assert_eq!(payload("invoke", Some("{}"), None).unwrap(), "{}");
        assert!(
            payload("invoke", Some(""), Some(PathBuf::new()))
                .unwrap()
                .is_empty()
        );
        let both = payload("publish", Some("{}"), Some(file.clone())).unwrap_err();
        assert_eq!(
            both.to_string(),
            "Only one of --data and --data-file allowed in the same publish command"
        );
        let missing = payload("invoke", None, Some(file)).unwrap_err().to_string();
        assert!(
            missing.starts_with("Error reading payload from 'no/such/file'. Error: "),
            "{missing}"
        );
    }
}
