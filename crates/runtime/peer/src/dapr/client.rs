//! Calling a sidecar of Dapr's.

use futures_util::{Stream, StreamExt};
use http::{Request, Response};
use outrigger_transport::{Body, Error as TransportError, client::Failed};
use outrigger_wire_names::headers;
use outrigger_wire_proto::internals::{
    InternalInvokeRequestStream, InternalInvokeResponseStream,
    service_invocation_client::ServiceInvocationClient,
};
use tonic::{Code, Status, Streaming, metadata::AsciiMetadataKey};

use super::{
    chunks::{Incoming, Outgoing},
    convert,
    cut::{Cut, Cuttable},
};
use crate::{AppTarget, connection::PeerConnection};

/// Bytes that one message of a stream may have; Dapr's chunks are 2 KiB.
const MESSAGE_LIMIT: usize = 64 * 1024 * 1024;

/// Why a call failed.
pub(crate) enum Failure {
    /// The connection.
    Transport(Failed),
    /// The peer's own error.
    Status(Code, String),
    /// The request or the answer cannot be carried.
    Request(String),
}

/// Calls an app over `CallLocalStream`. The body of the request goes out as it comes in.
pub(crate) async fn invoke(
    connection: &PeerConnection,
    target: AppTarget<'_>,
    request: Request<Body>,
) -> Result<Response<Body>, Failure> {
    // The connection is made first: where that fails nothing of the request was taken.
    if let Err(error) = connection.grpc().warm().await {
        return Err(Failure::Transport(Failed::unsent(error, request)));
    }
    let cut = Cut::default();
    let call = call(target, request, cut.clone());
    let mut client = ServiceInvocationClient::new(Cuttable::new(connection.grpc().clone(), cut.clone()))
        .max_decoding_message_size(MESSAGE_LIMIT)
        .max_encoding_message_size(MESSAGE_LIMIT);
    let failure = |status| cut.error().map_or_else(|| failure(status), Failure::Transport);
    let mut answers = client
        .call_local_stream(call)
        .await
        .map_err(failure)?
        .into_inner();
    answer(answers.message().await.map_err(failure)?, answers)
}

/// The messages of a request, up to where its body is cut.
fn call(
    target: AppTarget<'_>,
    request: Request<Body>,
    cut: Cut,
) -> tonic::Request<impl Stream<Item = InternalInvokeRequestStream> + Send + 'static> {
    let (head, body) = request.into_parts();
    let first = InternalInvokeRequestStream {
        request: Some(convert::request_message(&head)),
        payload: None,
    };
    let outgoing = Outgoing::new(first, body, |payload| InternalInvokeRequestStream {
        request: None,
        payload: Some(payload),
    });
    let whole = outgoing.scan(cut, |cut, message| {
        std::future::ready(message.map_err(|error| cut.leave(error)).ok())
    });
    let mut call = tonic::Request::new(whole);
    let key = AsciiMetadataKey::from_bytes(headers::CALLEE_APP_ID.as_str().as_bytes());
    if let (Ok(key), Ok(id)) = (key, target.id.parse()) {
        call.metadata_mut().insert(key, id);
    }
    call
}

fn answer(
    first: Option<InternalInvokeResponseStream>,
    rest: Streaming<InternalInvokeResponseStream>,
) -> Result<Response<Body>, Failure> {
    let first =
        first.ok_or_else(|| Failure::Request("the peer ended the stream without an answer".to_owned()))?;
    let head = first.response.unwrap_or_default();
    let chunks = rest.map(|message| message.map(|message| message.payload));
    let body = Incoming::new(futures_util::stream::iter([Ok(first.payload)]).chain(chunks));
    convert::response(head, Some(Body::from_frames(body))).map_err(Failure::Request)
}

/// A status that came of the connection is the connection's failure; the request went out with it.
fn failure(status: Status) -> Failure {
    match std::error::Error::source(&status) {
        Some(_) if status.code() != Code::Ok && status.metadata().is_empty() => {
            Failure::Transport(Failed::lost(TransportError::Broken(status.into())))
        }
        _ => Failure::Status(status.code(), status.message().to_owned()),
    }
}
