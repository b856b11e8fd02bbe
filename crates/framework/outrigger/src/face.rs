//! The app's own HTTP port, for the sidecar beside it.

use std::{convert::Infallible, pin::Pin, sync::Arc, task::Poll};

use http::{Method, StatusCode};
use outrigger_base_std::Secret;
use outrigger_runtime_channel::AppSubscription;
use outrigger_transport::{Body, hop};
use outrigger_wire_names::{app as names, headers, messages, routes};
use serde_json::{Value, json};
use tower_service::Service;

use crate::{
    Error, IntoResponse, Json, Request, Response,
    batch::{self, Batch},
    handler::EventFn,
    program::Program,
    status::Status,
};

/// Bytes that a bulk delivery may have: 16 events of the largest size that a sidecar takes by default. One that is larger
/// comes again, so that a subscription must ask for fewer events at a time.
const BATCH_LIMIT: u64 = 64 * 1024 * 1024;

/// What a sidecar calls: the app's methods, its event handlers, and the questions that every app is asked.
#[derive(Debug, Clone)]
pub(crate) struct Face(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    program: Arc<Program>,
    token: Option<Secret>,
}

impl Face {
    /// A face that answers only those who show `token`, where there is one.
    pub(crate) fn new(program: Arc<Program>, token: Option<Secret>) -> Self {
        Self(Arc::new(Inner { program, token }))
    }

    async fn serve(self, mut request: Request) -> Response {
        let path = request.uri().path();
        let is_probe = request.method() == Method::GET && path == names::HEALTHZ;
        // A probe shows no token, as with every app.
        if !is_probe && !self.shows_token(&mut request) {
            return (StatusCode::UNAUTHORIZED, messages::INVALID_API_TOKEN).into_response();
        }
        if let Some(answer) = self.question(&request) {
            return answer;
        }
        let program = &self.0.program;
        if request.method() == Method::POST
            && let Some(handler) = program.event_handler(request.uri().path())
        {
            return event(program, handler, request).await;
        }
        match program.try_call(request).await {
            Ok(response) => response,
            Err(_) if is_probe => StatusCode::OK.into_response(),
            Err(nothing) => *nothing,
        }
    }

    fn shows_token(&self, request: &mut Request) -> bool {
        let shown = request.headers_mut().remove(headers::API_TOKEN);
        match &self.0.token {
            None => true,
            Some(token) => shown.is_some_and(|shown| token.matches(shown.as_bytes())),
        }
    }

    /// What a sidecar asks an app once it is there.
    fn question(&self, request: &Request) -> Option<Response> {
        if request.method() != Method::GET {
            return None;
        }
        match request.uri().path() {
            // No actors: nothing to configure.
            routes::APP_CONFIG => Some(Json(json!({})).into_response()),
            routes::APP_SUBSCRIBE => {
                let all: Vec<Value> = self.0.program.subscriptions().iter().map(wanted).collect();
                Some(Json(all).into_response())
            }
            _ => None,
        }
    }
}

/// Hands one event, or those of a bulk delivery, to their handler.
async fn event(program: &Program, handler: &EventFn, request: Request) -> Response {
    if !batch::may_be(request.headers()) {
        return Json(Status::from(program.event(handler, request).await)).into_response();
    }
    let (head, body) = request.into_parts();
    let body = match body.collect(BATCH_LIMIT).await {
        Ok(body) => body,
        Err(error) => return unread(&error).into_response(),
    };
    let Some(events) = Batch::parse(&body) else {
        let request = Request::from_parts(head, body.into());
        return Json(Status::from(program.event(handler, request).await)).into_response();
    };
    match events.deliver(&body, head.uri.path(), program, handler).await {
        Ok(statuses) => Json(statuses).into_response(),
        Err(error) => unread(&error).into_response(),
    }
}

fn unread(error: &(dyn std::error::Error + 'static)) -> Error {
    Error::internal(format!(
        "a bulk delivery could not be read: {}",
        outrigger_base_std::chain(error)
    ))
}

/// A subscription as an HTTP app tells it.
fn wanted(subscription: &AppSubscription) -> Value {
    let rules = subscription.routes.rules.iter();
    let rules: Vec<Value> = rules
        .map(|rule| json!({"match": rule.match_, "path": rule.path}))
        .collect();
    json!({
        "pubsubname": subscription.pubsub_name,
        "topic": subscription.topic,
        "metadata": subscription.metadata,
        "routes": {"rules": rules, "default": subscription.routes.default.as_deref().unwrap_or_default()},
        "deadLetterTopic": subscription.dead_letter_topic.as_deref().unwrap_or_default(),
        "bulkSubscribe": {
            "enabled": subscription.bulk.enabled,
            "maxMessagesCount": subscription.bulk.max_messages_count.unwrap_or_default(),
            "maxAwaitDurationMs": subscription.bulk.max_await_duration_ms.unwrap_or_default(),
        },
    })
}

impl Service<http::Request<Body>> for Face {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let face = self.clone();
        Box::pin(async move {
            // What belongs to the hop is no more the handlers' business than embedded; trailers go on.
            let takes_trailers = hop::forward_request(&mut request, hop::may_trail);
            let mut response = face.serve(request).await;
            hop::forward_response(&mut response, takes_trailers, hop::may_trail);
            Ok(response)
        })
    }
}
