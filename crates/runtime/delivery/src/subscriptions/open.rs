//! Opening a stream.

use std::sync::Arc;

use http::StatusCode;
use outrigger_base_std::chain;
use outrigger_block_pubsub::Metadata;
use outrigger_resource_manifest::Routes;
use outrigger_runtime_api::{Api, Code, Error, SubscriptionInfo, SubscriptionKind};
use outrigger_runtime_host::PubSub;
use outrigger_wire_names::{errors, pubsub as words};

use super::{Core, Subscriptions};
use crate::{
    life::Life,
    outlet::Outlet,
    standing::Standing,
    stream::{self, StreamSubscription},
};

impl Subscriptions {
    /// Opens a stream of a topic's events. It stands when this returns: what is published later arrives. Several streams
    /// of one topic are independent. `dead_letter` is where events go that the app drops or refuses.
    pub async fn open_stream(
        &self,
        pubsub: &str,
        topic: &str,
        metadata: Metadata,
        dead_letter: Option<String>,
    ) -> Result<StreamSubscription, Error> {
        let core = &self.core;
        let broker = core.stream_broker(pubsub, topic)?;
        let info = info(pubsub, topic, metadata, dead_letter);
        let life = Life::new(&core.ending);
        let (stream, receiver) = stream::open(life.clone());
        let courier = core
            .courier(broker, &info, Outlet::Stream(stream), life.clone())
            .map_err(|problem| failed(pubsub, &problem))?;
        let standing = Standing {
            pubsub: courier.pubsub.clone(),
            topic: courier.topic.clone(),
            metadata: info.metadata.clone(),
            handler: Arc::new(courier),
            life,
            persistent: false,
        };
        let (life, first) = standing.start(&core.tasks);
        core.add_stream(life.ended.clone());
        match first.await {
            Ok(Ok(())) => (),
            Ok(Err(error)) => {
                let problem = format!("failed to subscribe to topic {topic}: {}", chain(&error));
                return Err(failed(pubsub, &problem));
            }
            Err(_) => return Err(closed()),
        }
        tracing::info!("Subscribing to pubsub '{pubsub}' topic '{topic}'");
        core.api.report_subscriptions(|all| all.push(info.clone()));
        let api = core.api.clone();
        core.tasks.spawn("end of a stream", async move {
            life.over().await;
            unreport(&api, &info);
            life.ended.stopped().await;
            tracing::info!(
                "Unsubscribed from pubsub '{}' topic '{}'",
                info.pubsub_name,
                info.topic
            );
        });
        Ok(receiver)
    }
}

impl Core {
    fn stream_broker(&self, pubsub: &str, topic: &str) -> Result<PubSub, Error> {
        if pubsub.is_empty() {
            return Err(refused("pubsubName is required"));
        }
        if topic.is_empty() {
            return Err(refused("topic is required"));
        }
        if self.ending.is_stopped() {
            return Err(closed());
        }
        let broker = self.api.host().snapshot().pubsub(pubsub).cloned();
        let broker = broker.ok_or_else(|| self.api.pubsub_not_found(pubsub))?;
        if !broker.scopes.may_subscribe(topic) {
            let message = format!(
                "failed to create subscription for {pubsub}: subscription to topic '{topic}' on pubsub '{pubsub}' is not allowed"
            );
            let code = errors::PUBSUB_FORBIDDEN;
            return Err(Error::new(
                code,
                StatusCode::FORBIDDEN,
                Code::PermissionDenied,
                message,
            ));
        }
        Ok(broker)
    }
}

fn info(pubsub: &str, topic: &str, metadata: Metadata, dead_letter: Option<String>) -> SubscriptionInfo {
    SubscriptionInfo {
        pubsub_name: pubsub.to_owned(),
        topic: topic.to_owned(),
        metadata,
        routes: Routes {
            rules: Vec::new(),
            default: Some(words::STREAM_PATH.to_owned()),
        },
        dead_letter_topic: dead_letter.filter(|topic| !topic.is_empty()),
        kind: SubscriptionKind::Streaming,
    }
}

/// Takes one report away; two streams of one topic look alike, and it does not matter which of them is told.
fn unreport(api: &Api, info: &SubscriptionInfo) {
    api.report_subscriptions(|all| {
        if let Some(place) = all.iter().position(|other| other == info) {
            all.remove(place);
        }
    });
}

fn refused(message: &'static str) -> Error {
    Error::new(
        errors::PUBSUB_EMPTY,
        StatusCode::BAD_REQUEST,
        Code::InvalidArgument,
        message,
    )
}

fn failed(pubsub: &str, problem: &str) -> Error {
    let message = format!("failed to create subscription for {pubsub}: {problem}");
    Error::new(
        errors::PUBSUB_PUBLISH_MESSAGE,
        StatusCode::INTERNAL_SERVER_ERROR,
        Code::Internal,
        message,
    )
}

fn closed() -> Error {
    Error::new(
        errors::PUBSUB_NOT_FOUND,
        StatusCode::SERVICE_UNAVAILABLE,
        Code::Unavailable,
        "subscriber is closed",
    )
}
