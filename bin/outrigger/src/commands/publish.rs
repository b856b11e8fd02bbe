//! `publish`: publishes an event through the sidecar of an app.

use std::{path::PathBuf, process::ExitCode};

use outrigger_base_std::BoxError;
use outrigger_base_task::TaskSet;
use outrigger_wire_names::{cloud_event, content, headers};
use serde_json::{Map, Value};

use super::{
    Context,
    api::{Client, Endpoint, escaped},
    block_on, flag,
    invoke::{endpoint, payload, reason},
    talk::Mark,
};

/// Attributes that make a JSON object a CloudEvent.
const CLOUD_EVENT: [&str; 5] = [
    cloud_event::ID,
    cloud_event::SOURCE,
    cloud_event::SPEC_VERSION,
    cloud_event::TYPE,
    cloud_event::DATA,
];

/// Publish an event through the sidecar of an app
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The app that publishes
    #[arg(short = 'i', long)]
    publish_app_id: String,
    /// The broker's component
    #[arg(short, long)]
    pubsub: String,
    /// The topic
    #[arg(short, long)]
    topic: String,
    /// The event's data, or a whole CloudEvent
    #[arg(short, long, allow_hyphen_values = true)]
    data: Option<String>,
    /// A file that holds the event's data, or a whole CloudEvent
    #[arg(short = 'f', long, value_name = "FILE", value_parser = flag::path())]
    data_file: Option<PathBuf>,
    /// Metadata of the request, as a JSON object
    #[arg(short, long, value_name = "JSON")]
    metadata: Option<String>,
    /// Folder of the sidecar's Unix sockets
    #[arg(short, long, value_name = "FOLDER", value_parser = flag::path())]
    unix_domain_socket: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  outrigger publish --publish-app-id shop --pubsub pubsub --topic orders --data '{\"id\": 1}'
  outrigger publish -i shop -p pubsub -t orders -d '{\"id\": 1}' -m '{\"rawPayload\": \"true\"}'";

/// Why an event was not published. The texts are those of Dapr's CLI.
#[derive(Debug, thiserror::Error)]
enum PublishError {
    #[error("Error parsing metadata as JSON. Error: {0}")]
    Metadata(serde_json::Error),
    #[error("Error publishing topic {topic}: {reason}")]
    Publish { topic: String, reason: String },
}

pub(crate) fn apply(args: Args, context: &Context) -> Result<ExitCode, BoxError> {
    let body = payload("publish", args.data.as_deref(), args.data_file)?;
    let query = query(args.metadata.as_deref().unwrap_or_default()).map_err(PublishError::Metadata)?;
    let fail = |reason: String| PublishError::Publish {
        topic: args.topic.clone(),
        reason,
    };
    let endpoint = match &flag::some_path(args.unix_domain_socket) {
        Some(folder) => Endpoint::socket(folder, &args.publish_app_id),
        None => endpoint(&args.publish_app_id)?
            .ok_or_else(|| fail("couldn't find a running Dapr instance".to_owned()))?,
    };
    block_on(async {
        let client = Client::new(endpoint, TaskSet::new("publish")).map_err(|error| fail(reason(&error)))?;
        client
            .publish(
                &args.pubsub,
                &args.topic,
                &query,
                content_type(&body),
                body.clone(),
            )
            .await
            .map_err(|error| fail(reason(&error)))
    })??;
    context.talk.say(Mark::Success, "Event published successfully");
    Ok(ExitCode::SUCCESS)
}

/// A JSON object as the query that sets the request's metadata; empty where there is none.
fn query(metadata: &str) -> Result<String, serde_json::Error> {
    if metadata.is_empty() {
        return Ok(String::new());
    }
    let object: Map<String, Value> = serde_json::from_str(metadata)?;
    let pairs: Vec<_> = object
        .iter()
        .map(|(key, value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            format!("{}{}={}", headers::METADATA_PREFIX, escaped(key), escaped(&value))
        })
        .collect();
    Ok(if pairs.is_empty() {
        String::new()
    } else {
        format!("?{}", pairs.join("&"))
    })
}

/// What data is: a CloudEvent if it looks like one, otherwise JSON.
fn content_type(data: &[u8]) -> &'static str {
    let is_event = serde_json::from_slice::<Map<String, Value>>(data)
        .is_ok_and(|object| CLOUD_EVENT.iter().all(|name| object.contains_key(*name)));
    if is_event {
        content::CLOUD_EVENT
    } else {
        content::JSON
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_becomes_a_query() {
        assert_eq!(query("").unwrap(), "");
        assert_eq!(query("{}").unwrap(), "");
        assert_eq!(
            query(r#"{"rawPayload":"true","ttlInSeconds":10,"a b":"c&d=é"}"#).unwrap(),
            "?metadata.rawPayload=true&metadata.ttlInSeconds=10&metadata.a%20b=c%26d%3D%C3%A9"
        );
        assert!(query("[1]").is_err());
    }

    #[test]
    fn cloud_events_are_known_by_their_attributes() {
        let event = br#"{"id":"1","source":"s","specversion":"1.0","type":"t","data":{}}"#;
        assert_eq!(content_type(event), "application/cloudevents+json");
        for other in [&br#"{"id":"1"}"#[..], b"text", b"", b"[1]"] {
            assert_eq!(content_type(other), "application/json");
        }
    }
}
