//! Messages of Dapr's protocol: any, cut and whole.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, Request, Response, Version};
use http_body_util::BodyExt;
use outrigger_runtime_peer::{Callee, InternalService};
use outrigger_transport::Body;
use outrigger_wire_proto::{
    Any,
    common::{HttpExtension, InvokeRequest, StreamPayload, http_extension::Verb},
    internals::{
        InternalInvokeRequest, InternalInvokeRequestStream, InternalInvokeResponse, ListStringValue,
    },
};
use proptest::{
    collection::{hash_map, vec},
    prelude::*,
};
use prost::Message;
use tower_service::Service;

/// Bytes that a message may have.
const MAX_MESSAGE: usize = 1 << 20;

/// An app that sends back what it is sent, and says in headers what it was asked.
#[derive(Debug)]
struct Mirror;

#[async_trait]
impl Callee for Mirror {
    async fn call(&self, request: Request<Body>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let mut response = Response::new(body);
        *response.headers_mut() = head.headers;
        let map = response.headers_mut();
        map.insert("x-verb", head.method.as_str().parse().unwrap());
        map.insert("x-uri", head.uri.to_string().parse().unwrap());
        response
    }

    async fn proxy(&self, request: Request<Body>) -> Response<Body> {
        Response::new(request.into_body())
    }
}

/// gRPC's status of a call, and what was answered.
fn call(method: &str, body: Bytes) -> (String, Bytes) {
    let mut service = InternalService::new(Arc::new(Mirror), "app".into(), MAX_MESSAGE);
    let request = Request::post(format!(
        "http://app/dapr.proto.internals.v1.ServiceInvocation/{method}"
    ))
    .version(Version::HTTP_2)
    .header("content-type", "application/grpc")
    .header("te", "trailers")
    .body(Body::from(body))
    .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(async {
        let (head, body) = service.call(request).await.unwrap().into_parts();
        assert_eq!(head.status, 200, "gRPC tells failures in its own status");
        let answer = BodyExt::collect(body).await.expect("a whole answer");
        let status = |map: &HeaderMap| Some(map.get("grpc-status")?.to_str().unwrap().to_owned());
        let told = status(&head.headers).or_else(|| status(answer.trailers()?));
        (told.expect("a status"), answer.to_bytes())
    })
}

fn frame(message: &impl Message) -> BytesMut {
    let mut framed = BytesMut::new();
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.encoded_len()).unwrap());
    message.encode(&mut framed).unwrap();
    framed
}

fn requests() -> impl Strategy<Value = InternalInvokeRequest> {
    let texts = prop_oneof!["[a-z/%25 .?#]{0,12}", any::<String>()];
    let queries = prop_oneof!["[a-z=&%2F +#]{0,12}", any::<String>()];
    // No header of a hop, and none that the app adds.
    let metadata = hash_map("h-[a-z0-9]{1,6}", vec("[!-~]([ -~]{0,8}[!-~])?", 1..3), 0..4);
    let content_type = "([!-~]{1,12})?";
    (
        texts,
        queries,
        0..10_i32,
        metadata,
        content_type,
        vec(any::<u8>(), 0..40),
    )
        .prop_map(
            |(method, querystring, verb, metadata, content_type, data)| InternalInvokeRequest {
                metadata: metadata
                    .into_iter()
                    .map(|(name, values)| (name, ListStringValue { values }))
                    .collect(),
                message: Some(InvokeRequest {
                    method,
                    data: Some(Any::raw(data)),
                    content_type,
                    http_extension: Some(HttpExtension { verb, querystring }),
                }),
                ..InternalInvokeRequest::default()
            },
        )
}

/// What a text with percent-encoding stands for, read in the plainest way.
fn decoded(text: &str) -> Vec<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let (mut rest, mut out) = (text.as_bytes(), Vec::new());
    while let [first, tail @ ..] = rest {
        let octet = match tail {
            [high, low, ..] if *first == b'%' => digit(high).zip(digit(low)),
            _ => None,
        };
        match octet {
            Some((high, low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap());
                rest = &tail[2..];
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    out
}

/// The values of a header, whose name an HTTP app's answer has in Go's spelling.
fn values(metadata: &HashMap<String, ListStringValue>, name: &str) -> Vec<String> {
    let list = metadata.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    list.map(|(_, list)| list.values.clone()).unwrap_or_default()
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in vec(any::<u8>(), 0..200), prefix in any::<bool>()) {
        // Every other time in a frame, so that it is the message that is wrong.
        let mut body = BytesMut::new();
        if prefix {
            body.put_u8(0);
            body.put_u32(u32::try_from(bytes.len()).unwrap());
        }
        body.put_slice(&bytes);
        call("CallLocal", body.clone().freeze());
        call("CallLocalStream", body.freeze());
    }

    #[test]
    fn a_whole_message_reaches_the_app_as_it_was_meant(message in requests()) {
        let (status, answer) = call("CallLocal", frame(&message).freeze());
        prop_assert_eq!(status, "0");
        let answer = InternalInvokeResponse::decode(answer.slice(5..)).unwrap();
        let invoke = message.message.unwrap();
        let extension = invoke.http_extension.unwrap();

        let verb = match extension.verb() {
            Verb::None => "POST",
            named => named.as_str_name(),
        };
        prop_assert_eq!(values(&answer.headers, "x-verb"), [verb]);
        let uri = values(&answer.headers, "x-uri").concat();
        let (path, query) = uri.split_once('?').unwrap_or((&uri, ""));
        let method = format!("/{}", invoke.method.trim_start_matches('/'));
        prop_assert_eq!(decoded(path), method.into_bytes(), "{}", uri);
        prop_assert_eq!(decoded(query), decoded(&extension.querystring), "{}", uri);
        for (name, list) in &message.metadata {
            prop_assert_eq!(&values(&answer.headers, name), &list.values, "{}", name);
        }
        let told = answer.message.unwrap();
        prop_assert_eq!(told.content_type, invoke.content_type);
        prop_assert_eq!(told.data.unwrap().value, invoke.data.unwrap().value);
    }

    #[test]
    fn a_message_that_is_cut_is_never_taken_for_whole(message in requests(), at in any::<prop::sample::Index>()) {
        let framed = frame(&message).freeze();
        let (status, _) = call("CallLocal", framed.slice(..at.index(framed.len())));
        prop_assert_ne!(status, "0");
    }

    #[test]
    fn a_stream_that_is_cut_within_a_message_fails(
        message in requests(),
        chunks in vec(vec(any::<u8>(), 0..30), 0..4),
        at in any::<prop::sample::Index>(),
    ) {
        let first = InternalInvokeRequestStream { request: Some(message), payload: None };
        let mut framed = frame(&first);
        let mut ends = vec![framed.len()];
        for (seq, data) in (0..).zip(&chunks) {
            let payload = Some(StreamPayload { data: data.clone().into(), seq });
            framed.unsplit(frame(&InternalInvokeRequestStream { request: None, payload }));
            ends.push(framed.len());
        }
        let framed = framed.freeze();
        let (status, _) = call("CallLocalStream", framed.clone());
        prop_assert_eq!(status, "0");
        let end = at.index(framed.len());
        // The gRPC library takes a frame's head that nothing follows for nothing.
        prop_assume!(!ends.contains(&end.saturating_sub(5)));
        let (status, _) = call("CallLocalStream", framed.slice(..end));
        // A stream that ends between two messages has no more than those.
        prop_assert_eq!(status == "0", ends.contains(&end), "{} of {:?}", end, ends);
    }
}
