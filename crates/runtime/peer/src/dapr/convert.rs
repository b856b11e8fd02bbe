//! Between the neutral HTTP form of an invocation and Dapr's messages.

mod app_status;
mod metadata;

use std::collections::HashMap;

use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, header::CONTENT_TYPE, request,
    response,
};
use outrigger_transport::Body;
use outrigger_wire_names::headers as names;
use outrigger_wire_proto::{
    Any,
    common::{HttpExtension, InvokeRequest, InvokeResponse, http_extension::Verb},
    internals::{ApiVersion, InternalInvokeRequest, InternalInvokeResponse, Status},
};

pub(super) use self::metadata::length;
use crate::{path, status::http_of_grpc};

/// The head of a request as a message. The body travels in chunks.
pub(super) fn request_message(head: &request::Parts) -> InternalInvokeRequest {
    let content_type = text(head.headers.get(CONTENT_TYPE));
    let extension = HttpExtension {
        verb: verb(&head.method).into(),
        querystring: head.uri.query().unwrap_or_default().to_owned(),
    };
    InternalInvokeRequest {
        ver: ApiVersion::V1.into(),
        metadata: metadata::of_request(&head.headers),
        message: Some(InvokeRequest {
            method: path::decode(head.uri.path().trim_start_matches('/')),
            data: Some(Any {
                type_url: text(head.headers.get(names::DATA_TYPE)),
                value: bytes::Bytes::new(),
            }),
            content_type,
            http_extension: Some(extension),
        }),
        actor: None,
    }
}

/// A request from a message, with `body`. Fails with what is wrong with it.
pub(super) fn request(message: InternalInvokeRequest, body: Option<Body>) -> Result<Request<Body>, String> {
    let invoke = message.message.ok_or("the request has no message")?;
    let extension = invoke.http_extension.unwrap_or_default();
    let data = invoke.data.unwrap_or_default();
    let mut request = Request::new(body.unwrap_or_else(|| data.value.into()));
    *request.method_mut() = method(extension.verb());
    *request.uri_mut() = uri(&invoke.method, &extension.querystring)?;
    *request.headers_mut() = metadata::to_request(message.metadata);
    if let Ok(content_type) = HeaderValue::from_str(&invoke.content_type)
        && !invoke.content_type.is_empty()
    {
        request.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    set_data_type(request.headers_mut(), &data.type_url);
    Ok(request)
}

/// The head of an answer as a message. The status is that of the app: gRPC's, where it gave one, or HTTP's.
pub(super) fn response_message(head: &response::Parts) -> InternalInvokeResponse {
    let of_http = || Status {
        code: head.status.as_u16().into(),
        message: String::new(),
        details: Vec::new(),
    };
    let type_url = text(head.headers.get(names::DATA_TYPE));
    InternalInvokeResponse {
        status: Some(app_status::read(&head.headers).unwrap_or_else(of_http)),
        headers: metadata::of_answer(&head.headers),
        trailers: HashMap::new(),
        message: Some(InvokeResponse {
            data: (!type_url.is_empty()).then(|| Any {
                type_url,
                value: bytes::Bytes::new(),
            }),
            content_type: text(head.headers.get(CONTENT_TYPE)),
        }),
    }
}

/// An answer from a message, with `body`. An error of a gRPC app has none: callers make one of its status.
pub(super) fn response(
    message: InternalInvokeResponse,
    body: Option<Body>,
) -> Result<Response<Body>, String> {
    let status = message.status.ok_or("the answer has no status")?;
    let invoke = message.message.unwrap_or_default();
    let data = invoke.data.unwrap_or_default();
    let body = match status.code {
        1..100 => Body::empty(),
        _ => body.unwrap_or_else(|| data.value.into()),
    };
    let mut response = Response::new(body);
    *response.status_mut() = http_status(status.code);
    *response.headers_mut() = metadata::to_answer(message.headers);
    if !invoke.content_type.is_empty()
        && let Ok(content_type) = HeaderValue::from_str(&invoke.content_type)
    {
        response.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    set_data_type(response.headers_mut(), &data.type_url);
    app_status::write(response.headers_mut(), status);
    Ok(response)
}

fn set_data_type(map: &mut HeaderMap, type_url: &str) {
    if !type_url.is_empty()
        && let Ok(value) = HeaderValue::from_str(type_url)
    {
        map.insert(names::DATA_TYPE, value);
    }
}

/// A status of 100 and above is HTTP's, of an HTTP app; one below is gRPC's, of a gRPC app.
fn http_status(code: i32) -> StatusCode {
    if code >= 100 {
        return u16::try_from(code)
            .ok()
            .and_then(|code| StatusCode::from_u16(code).ok())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    }
    http_of_grpc(code.into())
}

fn uri(method: &str, query: &str) -> Result<Uri, String> {
    let path = path::encode(method.trim_start_matches('/'));
    let joined = if query.is_empty() {
        format!("/{path}")
    } else {
        format!("/{path}?{}", path::encode_query(query))
    };
    joined
        .parse()
        .map_err(|error| format!("invalid method {method:?}: {error}"))
}

fn text(value: Option<&HeaderValue>) -> String {
    value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned()
}

fn verb(method: &Method) -> Verb {
    Verb::from_str_name(method.as_str()).unwrap_or(Verb::None)
}

fn method(verb: Verb) -> Method {
    match verb {
        // Dapr's callers send none for gRPC invocations, which are posts.
        Verb::None => Method::POST,
        named => named.as_str_name().parse().unwrap_or(Method::POST),
    }
}

#[cfg(test)]
mod tests {
    use outrigger_wire_proto::internals::ListStringValue;

    use super::*;

    #[test]
    fn a_request_survives_the_way_there() {
        let given = Request::builder()
            .method("PUT")
            .uri("/a/b%20c?x=1&y")
            .header("content-type", "text/plain")
            .header("x-two", "1")
            .header("x-two", "2")
            .body(())
            .unwrap();
        let message = request_message(&given.into_parts().0);
        assert_eq!(message.message.as_ref().unwrap().method, "a/b c");
        let back = request(message, Some(Body::empty())).unwrap();
        assert_eq!(
            (back.method().as_str(), back.uri().to_string().as_str()),
            ("PUT", "/a/b%20c?x=1&y")
        );
        assert_eq!(back.headers()["content-type"], "text/plain");
        assert_eq!(back.headers().get_all("x-two").iter().count(), 2);
    }

    #[test]
    fn what_is_of_the_hop_stays_behind() {
        let given = Request::builder()
            .uri("/")
            .header("host", "10.0.0.1:50002")
            .header("te", "trailers")
            .header("trailer", "x-sum")
            .header("x-kept", "1")
            .body(())
            .unwrap();
        let message = request_message(&given.into_parts().0);
        assert_eq!(message.metadata.keys().collect::<Vec<_>>(), ["X-Kept"]);
    }

    #[test]
    fn a_query_that_is_no_query_is_made_one() {
        let uri = uri("m", "a=\u{fc} b&c=%20").unwrap();
        assert_eq!(uri.to_string(), "/m?a=%C3%BC%20b&c=%20");
    }

    #[test]
    fn an_answer_of_a_grpc_app_gets_an_http_status() {
        let message = InternalInvokeResponse {
            status: Some(Status {
                code: 5,
                ..Status::default()
            }),
            ..InternalInvokeResponse::default()
        };
        let answer = response(message.clone(), None).unwrap();
        assert_eq!(answer.status(), 404);
        let back = response_message(&answer.into_parts().0);
        assert_eq!((back.status, back.headers.len()), (message.status, 0));
        assert!(response(InternalInvokeResponse::default(), None).is_err());
    }

    #[test]
    fn only_the_field_tells_the_type_of_a_body() {
        // A gRPC app behind a sidecar of Dapr's, or a gRPC client: the metadata of their own messages comes along.
        let of_grpc = || {
            let values = vec!["application/grpc".to_owned()];
            HashMap::from([("content-type".to_owned(), ListStringValue { values })])
        };
        for content_type in ["", "text/plain"] {
            let answer = InternalInvokeResponse {
                status: Some(Status::default()),
                headers: of_grpc(),
                message: Some(InvokeResponse {
                    content_type: content_type.to_owned(),
                    ..InvokeResponse::default()
                }),
                ..InternalInvokeResponse::default()
            };
            let call = InternalInvokeRequest {
                metadata: of_grpc(),
                message: Some(InvokeRequest {
                    content_type: content_type.to_owned(),
                    ..InvokeRequest::default()
                }),
                ..InternalInvokeRequest::default()
            };
            let (answer, call) = (response(answer, None).unwrap(), request(call, None).unwrap());
            for headers in [answer.headers(), call.headers()] {
                let told = headers
                    .get("content-type")
                    .map_or("", |value| value.to_str().unwrap());
                assert_eq!(told, content_type);
            }
        }
    }
}
