//! The shop as its customers see it: one door, a sidecar's two APIs, and behind it every app by its name.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, header::CONTENT_TYPE};
use outrigger::{Body, Client};
use outrigger_base_task::TaskSet;
use outrigger_transport::client::{Connect, Http2Channel, Target};
use outrigger_wire_names::content;
use outrigger_wire_proto::{
    Any,
    common::{HttpExtension, InvokeRequest, http_extension::Verb},
    runtime::{InvokeServiceRequest, dapr_client::DaprClient},
};
use serde::{Serialize, de::DeserializeOwned};

use super::services::order::{Receipt, Slip};

/// Bytes of an answer that are read: the whole ledger of the largest demo.
const ANSWER_MAX: u64 = 16 << 20;
/// Bytes that the headers of a gRPC answer may have.
const GRPC_HEADERS_MAX: u32 = 16 << 10;
/// The app that takes orders, and its method.
const ORDERS: (&str, &str) = ("orders", "orders");

/// The way an order takes into the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Http,
    Grpc,
}

/// A customer of the shop.
#[derive(Debug, Clone)]
pub(crate) struct Shop {
    http: Client,
    grpc: DaprClient<Http2Channel>,
}

/// Why a customer got no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ShopError {
    /// Something that the customer wanted to send.
    #[error("cannot make a request for {0}")]
    Request(String),
    /// The door did not let it through.
    #[error("cannot call {app}")]
    Call {
        app: String,
        source: Box<outrigger::Error>,
    },
    /// The same, over gRPC.
    #[error("cannot call {app} over gRPC")]
    Grpc { app: String, source: Box<tonic::Status> },
    /// The app was not pleased.
    #[error("{app} answered {status} to {method}: {text}")]
    Answer {
        app: String,
        method: String,
        status: StatusCode,
        text: String,
    },
    /// The answer is no answer.
    #[error("the answer of {app} to {method} cannot be understood")]
    Decode {
        app: String,
        method: String,
        source: serde_json::Error,
    },
}

impl ShopError {
    /// Who answers for it.
    pub(crate) fn app(&self) -> Option<&str> {
        match self {
            Self::Request(_) => None,
            Self::Call { app, .. }
            | Self::Grpc { app, .. }
            | Self::Answer { app, .. }
            | Self::Decode { app, .. } => Some(app),
        }
    }
}

impl Shop {
    /// The shop behind the door: a sidecar whose gRPC API is on `grpc_port` of this machine.
    pub(crate) fn new(http: Client, grpc_port: u16, tasks: TaskSet) -> Self {
        let connect = Connect::plain(Target::new("127.0.0.1", grpc_port));
        let channel = Http2Channel::new(connect, tasks, GRPC_HEADERS_MAX);
        Self {
            http,
            grpc: DaprClient::new(channel),
        }
    }

    /// Places an order.
    pub(crate) async fn order(&self, way: Way, slip: &Slip) -> Result<Receipt, ShopError> {
        let (app, method) = ORDERS;
        match way {
            Way::Http => self.post(app, method, slip).await,
            Way::Grpc => {
                let answer = self.invoke_grpc(app, method, encode(slip, method)?).await?;
                decode(app, method, &answer)
            }
        }
    }

    /// Asks an app.
    pub(crate) async fn get<R: DeserializeOwned>(&self, app: &str, method: &str) -> Result<R, ShopError> {
        self.invoke(app, Method::GET, method, Bytes::new()).await
    }

    /// Tells an app something.
    pub(crate) async fn post<T, R>(&self, app: &str, method: &str, value: &T) -> Result<R, ShopError>
    where
        T: Serialize + ?Sized,
        R: DeserializeOwned,
    {
        let body = encode(value, method)?;
        self.invoke(app, Method::POST, method, body).await
    }

    async fn invoke<R: DeserializeOwned>(
        &self,
        app: &str,
        verb: Method,
        method: &str,
        body: Bytes,
    ) -> Result<R, ShopError> {
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = verb;
        let path = format!("/{method}");
        *request.uri_mut() = path.parse().map_err(|_| ShopError::Request(path))?;
        request
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static(content::JSON));
        let failed = |source| ShopError::Call {
            app: app.to_owned(),
            source: Box::new(source),
        };
        let (head, body) = self.http.invoke(app, request).await.map_err(failed)?.into_parts();
        // An answer that breaks off cannot be decoded either; an error's text only helps to understand it.
        let body = body.collect(ANSWER_MAX).await.unwrap_or_default();
        if head.status.is_success() {
            return decode(app, method, &body);
        }
        Err(ShopError::Answer {
            app: app.to_owned(),
            method: method.to_owned(),
            status: head.status,
            text: String::from_utf8_lossy(&body).into_owned(),
        })
    }

    async fn invoke_grpc(&self, app: &str, method: &str, body: Bytes) -> Result<Bytes, ShopError> {
        let verb = HttpExtension {
            verb: Verb::Post.into(),
            ..HttpExtension::default()
        };
        let message = InvokeRequest {
            method: method.to_owned(),
            data: Some(Any {
                value: body,
                ..Any::default()
            }),
            content_type: content::JSON.to_owned(),
            http_extension: Some(verb),
        };
        let request = InvokeServiceRequest {
            id: app.to_owned(),
            message: Some(message),
        };
        let answer = self.grpc.clone().invoke_service(request).await;
        let failed = |status| ShopError::Grpc {
            app: app.to_owned(),
            source: Box::new(status),
        };
        let answer = answer.map_err(failed)?.into_inner();
        Ok(answer.data.unwrap_or_default().value)
    }
}

fn encode<T: Serialize + ?Sized>(value: &T, method: &str) -> Result<Bytes, ShopError> {
    serde_json::to_vec(value)
        .map(Bytes::from)
        .map_err(|_| ShopError::Request(method.to_owned()))
}

fn decode<R: DeserializeOwned>(app: &str, method: &str, body: &[u8]) -> Result<R, ShopError> {
    serde_json::from_slice(body).map_err(|source| ShopError::Decode {
        app: app.to_owned(),
        method: method.to_owned(),
        source,
    })
}
