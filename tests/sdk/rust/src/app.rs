//! An app over gRPC: the SDK's server with a service of ours, since the SDK's own has no invocation, rules or dead letters.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use dapr::appcallback::{
    BindingEventRequest, BindingEventResponse, InvokeRequest, InvokeResponse, JobEventRequest,
    JobEventResponse, ListInputBindingsResponse, ListTopicSubscriptionsResponse, TopicEventBulkRequest,
    TopicEventBulkResponse, TopicEventRequest, TopicEventResponse, TopicSubscription,
};
use dapr::dapr::proto::runtime::v1::app_callback_server::{AppCallback, AppCallbackServer};
use dapr::dapr::proto::runtime::v1::topic_event_response::TopicEventResponseStatus as Answer;
use dapr::dapr::proto::runtime::v1::{TopicRoutes, TopicRule};
use prost_types::Any;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

use crate::{Mesh, Sidecar, eventually, free_port};

/// What an app was delivered, by the name of the handler.
#[derive(Clone, Default)]
pub struct Inbox {
    received: Arc<Mutex<HashMap<String, Vec<TopicEventRequest>>>>,
}

impl Inbox {
    /// Keeps an event, and returns how many of `name` there were before it.
    pub fn put(&self, name: &str, event: TopicEventRequest) -> usize {
        let mut received = self.received.lock().expect("no handler panics");
        let events = received.entry(name.to_owned()).or_default();
        events.push(event);
        events.len() - 1
    }

    /// The events of `name`.
    pub fn get(&self, name: &str) -> Vec<TopicEventRequest> {
        self.received
            .lock()
            .expect("no handler panics")
            .get(name)
            .cloned()
            .unwrap_or_default()
    }

    /// The events of `name` once there are `count`.
    pub async fn wait_for(&self, name: &str, count: usize) -> Vec<TopicEventRequest> {
        let look = || async { Some(self.get(name)).filter(|events| events.len() >= count) };
        eventually(&format!("{count} events of {name}"), look).await
    }
}

/// A gRPC server with its sidecar. Both end when dropped.
pub struct AppServer {
    /// The sidecar beside it.
    pub sidecar: Sidecar,
    server: tokio::task::JoinHandle<()>,
}

impl AppServer {
    /// Serves `app` on a free port and starts a sidecar beside it.
    pub async fn start<A: AppCallback>(mesh: &Mesh, app_id: &str, app: A) -> Self {
        let port = free_port();
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a free port");
        let server = tonic::transport::Server::builder().add_service(AppCallbackServer::new(app));
        let server = tokio::spawn(async move {
            server
                .serve_with_incoming(TcpListenerStream::new(listener))
                .await
                .expect("the app serves");
        });
        Self {
            sidecar: mesh.spawn_beside(app_id, port, "grpc").ready(),
            server,
        }
    }
}

impl Drop for AppServer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The app: it echoes calls, and keeps what it is delivered.
#[derive(Clone, Default)]
pub struct App {
    /// What it was delivered.
    pub inbox: Inbox,
}

impl App {
    fn subscriptions() -> Vec<TopicSubscription> {
        let plain =
            |pubsub: &str, topic: &str| TopicSubscription::new(pubsub.to_owned(), topic.to_owned(), None);
        let mut poison = plain("pubsub", "poison");
        poison.dead_letter_topic = "poison-dead".to_owned();
        let mut animals = plain("pubsub", "animals");
        let cats = TopicRule {
            r#match: r#"event.type == "cat""#.to_owned(),
            path: "cats".to_owned(),
        };
        animals.routes = Some(TopicRoutes {
            rules: vec![cats],
            default: "others".to_owned(),
        });
        let [orders, dropped, dead] =
            ["orders", "dropped", "poison-dead"].map(|topic| plain("pubsub", topic));
        vec![orders, dropped, poison, dead, animals, plain("broker", "retried")]
    }

    fn deliver(&self, event: TopicEventRequest) -> Answer {
        let name = if event.path.is_empty() {
            event.topic.clone()
        } else {
            event.path.clone()
        };
        match (name.as_str(), self.inbox.put(&name, event)) {
            ("dropped", _) => Answer::Drop,
            ("poison", _) | ("retried", 0) => Answer::Retry,
            _ => Answer::Success,
        }
    }
}

#[tonic::async_trait]
impl AppCallback for App {
    async fn on_invoke(&self, request: Request<InvokeRequest>) -> Result<Response<InvokeResponse>, Status> {
        let caller = request.metadata().get("dapr-caller-app-id").cloned();
        let call = request.into_inner();
        if call.method != "echo" {
            return Err(Status::failed_precondition("not today"));
        }
        let value = call.data.unwrap_or_default().value;
        let data = Some(Any {
            type_url: String::new(),
            value: [b"<", &*value, b">"].concat(),
        });
        let mut answer = Response::new(InvokeResponse {
            data,
            content_type: call.content_type,
        });
        if let Some(caller) = caller {
            answer.metadata_mut().insert("x-caller", caller);
        }
        Ok(answer)
    }

    async fn list_topic_subscriptions(
        &self,
        _: Request<()>,
    ) -> Result<Response<ListTopicSubscriptionsResponse>, Status> {
        Ok(Response::new(ListTopicSubscriptionsResponse {
            subscriptions: Self::subscriptions(),
        }))
    }

    async fn on_topic_event(
        &self,
        request: Request<TopicEventRequest>,
    ) -> Result<Response<TopicEventResponse>, Status> {
        let status = self.deliver(request.into_inner()).into();
        Ok(Response::new(TopicEventResponse { status }))
    }

    async fn list_input_bindings(
        &self,
        _: Request<()>,
    ) -> Result<Response<ListInputBindingsResponse>, Status> {
        Ok(Response::new(ListInputBindingsResponse::default()))
    }

    async fn on_binding_event(
        &self,
        _: Request<BindingEventRequest>,
    ) -> Result<Response<BindingEventResponse>, Status> {
        Err(Status::unimplemented("this app has no bindings"))
    }

    async fn on_bulk_topic_event(
        &self,
        _: Request<TopicEventBulkRequest>,
    ) -> Result<Response<TopicEventBulkResponse>, Status> {
        Err(Status::unimplemented("this app has no bulk subscriptions"))
    }

    async fn on_job_event(&self, _: Request<JobEventRequest>) -> Result<Response<JobEventResponse>, Status> {
        Err(Status::unimplemented("this app has no jobs"))
    }
}
