//! Being called by a sidecar of Dapr's.

use std::{pin::Pin, sync::Arc};

use futures_util::{Stream, StreamExt};
use http::{HeaderMap, Request, Response};
use outrigger_transport::Body;
use outrigger_wire_names::headers;
use outrigger_wire_proto::{
    Any,
    internals::{
        InternalInvokeRequest, InternalInvokeRequestStream, InternalInvokeResponse,
        InternalInvokeResponseStream,
        service_invocation_server::{ServiceInvocation, ServiceInvocationServer},
    },
};
use tonic::{Code, Status, Streaming};
use tower_service::Service;

use super::{
    chunks::{Incoming, Outgoing},
    convert,
    exact::Exact,
};
use crate::{Callee, status};

/// `dapr.proto.internals.v1.ServiceInvocation`, in front of a [`Callee`].
#[derive(Debug, Clone)]
pub struct Server(ServiceInvocationServer<Calls>);

impl Server {
    /// A server that hands over to `callee`; messages may have `max_message` bytes.
    pub fn new(callee: Arc<dyn Callee>, max_message: usize) -> Self {
        let server = ServiceInvocationServer::new(Calls { callee, max_message });
        Self(
            server
                .max_decoding_message_size(max_message)
                .max_encoding_message_size(max_message),
        )
    }

    pub(crate) async fn call(mut self, request: Request<Body>) -> Response<Body> {
        match self.0.call(request).await {
            Ok(response) => response.map(Body::boxed),
            Err(never) => match never {},
        }
    }
}

#[derive(Debug)]
struct Calls {
    callee: Arc<dyn Callee>,
    max_message: usize,
}

impl Calls {
    async fn run(
        &self,
        message: InternalInvokeRequest,
        body: Option<Body>,
    ) -> Result<Response<Body>, Status> {
        let request = convert::request(message, body).map_err(Status::invalid_argument)?;
        let response = self.callee.call(request).await;
        if is_own_error(response.headers()) {
            return Err(self.own_error(response).await);
        }
        Ok(response)
    }

    /// An error of this sidecar's own travels as a status of the call, not as an answer of the app.
    async fn own_error(&self, response: Response<Body>) -> Status {
        let code = status::grpc_of_http(response.status());
        let code = if code == Code::Unknown {
            Code::Internal
        } else {
            code
        };
        match response.into_body().collect(self.max_message as u64).await {
            Ok(text) => Status::new(code, String::from_utf8_lossy(&text)),
            Err(error) => Status::internal(error.to_string()),
        }
    }
}

fn is_own_error(headers: &HeaderMap) -> bool {
    headers.contains_key(headers::PEER_ERROR)
}

type Answers = Pin<Box<dyn Stream<Item = Result<InternalInvokeResponseStream, Status>> + Send>>;

#[tonic::async_trait]
impl ServiceInvocation for Calls {
    async fn call_local(
        &self,
        request: tonic::Request<InternalInvokeRequest>,
    ) -> Result<tonic::Response<InternalInvokeResponse>, Status> {
        let (head, body) = self.run(request.into_inner(), None).await?.into_parts();
        let data = body
            .collect(self.max_message as u64)
            .await
            .map_err(|error| Status::internal(error.to_string()))?;
        let mut answer = convert::response_message(&head);
        if let Some(message) = &mut answer.message {
            message.data = Some(Any::raw(data));
        }
        Ok(tonic::Response::new(answer))
    }

    async fn call_local_stream(
        &self,
        request: tonic::Request<Streaming<InternalInvokeRequestStream>>,
    ) -> Result<tonic::Response<Answers>, Status> {
        let mut messages = request.into_inner();
        let first = messages
            .message()
            .await?
            .ok_or_else(|| Status::invalid_argument("the stream has no message"))?;
        let head = first.request.ok_or_else(|| {
            Status::invalid_argument("request does not contain the required fields in the leading chunk")
        })?;
        let rest = messages.map(|message| message.map(|message| message.payload));
        let body = Incoming::new(futures_util::stream::iter([Ok(first.payload)]).chain(rest));
        // Not every app takes a body of unknown length.
        let body = match convert::length(&head.metadata).map_err(Status::invalid_argument)? {
            Some(length) => Body::from_frames(Exact::new(body, length)),
            None => Body::from_frames(body),
        };
        let (head, body) = self.run(head, Some(body)).await?.into_parts();
        let first = InternalInvokeResponseStream {
            response: Some(convert::response_message(&head)),
            payload: None,
        };
        let answers = Outgoing::new(first, body, |payload| InternalInvokeResponseStream {
            response: None,
            payload: Some(payload),
        });
        Ok(tonic::Response::new(Box::pin(answers.map(|answer| {
            answer.map_err(|error| Status::internal(error.to_string()))
        }))))
    }
}
