//! A gRPC app that writes down what it sees.

use std::sync::{Arc, Mutex};

use outrigger_base_task::TaskSet;
use outrigger_wire_proto::{
    Any,
    common::{InvokeRequest, InvokeResponse},
    rpc,
    runtime::{
        BulkSubscribeConfig, HealthCheckResponse, ListTopicSubscriptionsResponse, TopicEventBulkRequest,
        TopicEventBulkResponse, TopicEventBulkResponseEntry, TopicEventRequest, TopicEventResponse,
        TopicRoutes, TopicRule, TopicSubscription,
        app_callback_alpha_server::{AppCallbackAlpha, AppCallbackAlphaServer},
        app_callback_health_check_server::{AppCallbackHealthCheck, AppCallbackHealthCheckServer},
        app_callback_server::{AppCallback, AppCallbackServer},
    },
};
use prost::Message;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Code, Request, Response, Status, metadata::MetadataMap};

/// What the app has seen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) invoked: Vec<InvokeRequest>,
    pub(crate) events: Vec<TopicEventRequest>,
    pub(crate) bulk: Vec<TopicEventBulkRequest>,
    pub(crate) metadata: Vec<MetadataMap>,
    /// Whether a bulk came over the older call.
    pub(crate) alpha: bool,
}

/// The app; its switches say what it lacks.
#[derive(Debug, Clone, Default)]
pub(crate) struct App {
    /// It implements no call.
    pub(crate) bare: bool,
    /// It knows the older bulk call only.
    pub(crate) alpha: bool,
    /// Its health check fails.
    pub(crate) unwell: bool,
    pub(crate) seen: Arc<Mutex<Seen>>,
}

/// The app behind a port, until it is dropped.
pub(crate) struct Serving {
    pub(crate) port: u16,
    seen: Arc<Mutex<Seen>>,
    tasks: TaskSet,
}

impl Serving {
    pub(crate) async fn start(app: App) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = app.seen.clone();
        let server = tonic::transport::Server::builder()
            .add_service(AppCallbackServer::new(app.clone()))
            .add_service(AppCallbackAlphaServer::new(app.clone()))
            .add_service(AppCallbackHealthCheckServer::new(app))
            .serve_with_incoming(TcpListenerStream::new(listener));
        let tasks = TaskSet::new("app");
        let stop = tasks.signal().clone();
        tasks.spawn("server", async move {
            let _ = stop.run_until(server).await;
        });
        Self { port, seen, tasks }
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}

/// The details of the error that the app answers.
pub(crate) fn details() -> Vec<u8> {
    let info = rpc::ErrorInfo {
        reason: "GONE".to_owned(),
        ..rpc::ErrorInfo::default()
    };
    let status = rpc::Status {
        code: 5,
        message: "no such thing".to_owned(),
        details: vec![Any::pack(&info)],
    };
    status.encode_to_vec()
}

impl App {
    fn see<M>(&self, request: &Request<M>, note: impl FnOnce(&mut Seen)) -> Result<(), Status> {
        let mut seen = self.seen.lock().unwrap();
        seen.metadata.push(request.metadata().clone());
        note(&mut seen);
        if self.bare {
            return Err(Status::unimplemented("bare"));
        }
        Ok(())
    }
}

#[tonic::async_trait]
impl AppCallback for App {
    async fn on_invoke(&self, request: Request<InvokeRequest>) -> Result<Response<InvokeResponse>, Status> {
        self.see(&request, |seen| seen.invoked.push(request.get_ref().clone()))?;
        if request.get_ref().method == "fail" {
            let mut metadata = MetadataMap::new();
            metadata.insert("x-failed", "yes".parse().unwrap());
            let details = details().into();
            return Err(Status::with_details_and_metadata(
                Code::NotFound,
                "no such thing",
                details,
                metadata,
            ));
        }
        if request.get_ref().method == "explain" {
            let details = vec![b'x'; 100 * 1024];
            return Err(Status::with_details(Code::Aborted, "long story", details.into()));
        }
        let mut response = Response::new(InvokeResponse {
            data: request.into_inner().data,
            content_type: "text/x-echo".to_owned(),
        });
        response.metadata_mut().insert("x-answer", "2".parse().unwrap());
        Ok(response)
    }

    async fn list_topic_subscriptions(
        &self,
        request: Request<()>,
    ) -> Result<Response<ListTopicSubscriptionsResponse>, Status> {
        self.see(&request, |_| ())?;
        let plain = TopicSubscription {
            pubsub_name: "p".to_owned(),
            topic: "a".to_owned(),
            ..TopicSubscription::default()
        };
        let rule = TopicRule {
            r#match: "true".to_owned(),
            path: "/r".to_owned(),
        };
        let ruled = TopicSubscription {
            routes: Some(TopicRoutes {
                rules: vec![rule],
                default: String::new(),
            }),
            dead_letter_topic: "dead".to_owned(),
            bulk_subscribe: Some(BulkSubscribeConfig {
                enabled: true,
                max_messages_count: 7,
                max_await_duration_ms: 0,
            }),
            ..plain.clone()
        };
        Ok(Response::new(ListTopicSubscriptionsResponse {
            subscriptions: vec![plain, ruled],
        }))
    }

    async fn on_topic_event(
        &self,
        request: Request<TopicEventRequest>,
    ) -> Result<Response<TopicEventResponse>, Status> {
        self.see(&request, |seen| seen.events.push(request.get_ref().clone()))?;
        let status = match request.get_ref().topic.as_str() {
            "retry" => 1,
            "drop" => 2,
            "unknown" => 77,
            "unimplemented" => return Err(Status::unimplemented("no")),
            "error" => return Err(Status::internal("no")),
            _ => 0,
        };
        Ok(Response::new(TopicEventResponse { status }))
    }

    async fn on_bulk_topic_event(
        &self,
        request: Request<TopicEventBulkRequest>,
    ) -> Result<Response<TopicEventBulkResponse>, Status> {
        if self.alpha {
            return Err(Status::unimplemented("old"));
        }
        self.see(&request, |seen| seen.bulk.push(request.get_ref().clone()))?;
        Ok(bulk_answer(request.get_ref()))
    }
}

/// The first entry is done, the others are to come again.
fn bulk_answer(request: &TopicEventBulkRequest) -> Response<TopicEventBulkResponse> {
    let status = |(index, entry): (usize, &outrigger_wire_proto::runtime::TopicEventBulkRequestEntry)| {
        TopicEventBulkResponseEntry {
            entry_id: entry.entry_id.clone(),
            status: i32::from(index > 0),
        }
    };
    Response::new(TopicEventBulkResponse {
        statuses: request.entries.iter().enumerate().map(status).collect(),
    })
}

#[tonic::async_trait]
impl AppCallbackAlpha for App {
    async fn on_bulk_topic_event_alpha1(
        &self,
        request: Request<TopicEventBulkRequest>,
    ) -> Result<Response<TopicEventBulkResponse>, Status> {
        self.see(&request, |seen| {
            seen.bulk.push(request.get_ref().clone());
            seen.alpha = true;
        })?;
        Ok(bulk_answer(request.get_ref()))
    }
}

#[tonic::async_trait]
impl AppCallbackHealthCheck for App {
    async fn health_check(&self, request: Request<()>) -> Result<Response<HealthCheckResponse>, Status> {
        self.see(&request, |_| ())?;
        if self.unwell {
            return Err(Status::unavailable("not yet"));
        }
        Ok(Response::new(HealthCheckResponse::default()))
    }
}
