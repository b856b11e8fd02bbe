//! Service invocation of a gRPC app: `OnInvoke` (dapr-runtime.md §2.9, §3.8).

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, header::CONTENT_TYPE, request};
use outrigger_runtime_peer::path;
use outrigger_transport::Body;
use outrigger_wire_names::{content, grpc, headers};
use outrigger_wire_proto::{
    Any,
    common::{HttpExtension, InvokeRequest as Message, InvokeResponse, http_extension::Verb},
};
use prost::Message as _;

use super::{AppStatus, GrpcChannel, metadata, status};
use crate::{Error, InvokeRequest};

/// Calls the app. Its error is an answer too: the HTTP status that stands for it, the status as JSON, and the status
/// itself among the extensions.
pub(super) async fn invoke(channel: &GrpcChannel, request: InvokeRequest) -> Result<Response<Body>, Error> {
    let (head, body) = request.into_parts();
    let data = body.collect(channel.limit()).await?;
    let message = message(&head, data);
    let sent = message.encoded_len();
    let request = channel.request(message, metadata::to_app(&head.headers));
    let mut callback = channel.callback();
    let call = callback.on_invoke(request);
    match channel.count(grpc::ON_INVOKE, sent, call).await {
        Ok(answer) => Ok(answered(answer)),
        Err(status) => match status::lost(&status) {
            Some(error) => Err(error.into()),
            None => Ok(AppStatus::from_tonic(&status).response(metadata::from_app(status.metadata()))),
        },
    }
}

/// The message of a request: the method is its path, decoded, without the slash in front.
fn message(head: &request::Parts, data: Bytes) -> Message {
    let text = |value: Option<&HeaderValue>| {
        let text = value.and_then(|value| value.to_str().ok());
        text.unwrap_or_default().to_owned()
    };
    let uri_path = head.uri.path();
    Message {
        method: path::decode(uri_path.strip_prefix('/').unwrap_or(uri_path)),
        data: Some(Any {
            type_url: text(head.headers.get(headers::DATA_TYPE)),
            value: data,
        }),
        content_type: text(head.headers.get(CONTENT_TYPE)),
        http_extension: Some(HttpExtension {
            verb: Verb::from_str_name(head.method.as_str())
                .unwrap_or(Verb::None)
                .into(),
            querystring: head.uri.query().unwrap_or_default().to_owned(),
        }),
    }
}

/// The answer in the neutral form. Data with a type is protobuf, whatever the app calls it.
fn answered(answer: tonic::Response<InvokeResponse>) -> Response<Body> {
    let (metadata, message, _) = answer.into_parts();
    let data = message.data.unwrap_or_default();
    let mut map = metadata::from_app(&metadata);
    if data.type_url.is_empty() {
        set(&mut map, CONTENT_TYPE, &message.content_type);
    } else {
        set(&mut map, CONTENT_TYPE, content::PROTOBUF);
        set(&mut map, headers::DATA_TYPE, &data.type_url);
    }
    let mut response = Response::new(data.value.into());
    *response.headers_mut() = map;
    response.extensions_mut().insert(AppStatus::OK);
    response
}

/// Sets a header, unless there is nothing to say or it cannot be said in one.
fn set(map: &mut HeaderMap, name: http::HeaderName, text: &str) {
    if !text.is_empty()
        && let Ok(value) = HeaderValue::from_str(text)
    {
        map.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_method_is_the_decoded_path() {
        let head = |uri: &str| {
            let request = http::Request::put(uri).header("content-type", "text/plain");
            request.body(()).unwrap().into_parts().0
        };
        let message = message(&head("/a/b%20c%zz?x=1&y=%20"), Bytes::from_static(b"d"));
        assert_eq!(message.method, "a/b c%zz");
        assert_eq!(message.content_type, "text/plain");
        let extension = message.http_extension.unwrap();
        assert_eq!(
            (extension.verb(), extension.querystring.as_str()),
            (Verb::Put, "x=1&y=%20")
        );
    }
}
