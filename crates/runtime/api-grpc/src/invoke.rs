//! Service invocation by message (dapr-runtime.md §2.2; calls that are passed through do not come here).

use http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, TE},
};
use outrigger_runtime_api::{Api, AppStatus, Code, Error, metadata_of, method_uri};
use outrigger_transport::Body;
use outrigger_wire_names::{content, headers};
use outrigger_wire_proto::{
    Any,
    common::{InvokeRequest, InvokeResponse, http_extension::Verb},
    runtime::InvokeServiceRequest,
};
use tonic::{Request, Response, Status, metadata::MetadataMap};

use crate::status;

/// Begins the names that belong to gRPC itself.
const RESERVED: &str = "grpc-";

/// Calls the app. An answer may have `limit` bytes.
pub(crate) async fn invoke(
    api: &Api,
    limit: u64,
    request: Request<InvokeServiceRequest>,
) -> Result<Response<InvokeResponse>, Status> {
    let (metadata, _, call) = request.into_parts();
    let request = neutral(metadata, call.message.unwrap_or_default()).map_err(Status::invalid_argument)?;
    let answered = api.invoke(&call.id, request).await;
    let failed = |error: Error| {
        api.telemetry().error(error.code);
        status::of(&error)
    };
    let (mut head, body) = answered.map_err(failed)?.into_parts();
    let data = body.collect(limit).await;
    let data = data.map_err(|error| too_large_or_cut(&call.id, &error))?;
    let app_status = head.extensions.remove::<AppStatus>();
    let (metadata, failed) = match app_status {
        Some(status) => {
            let failed = (status.code() != Code::Ok).then(|| status.to_tonic());
            (of_grpc_app(head.headers.clone()), failed)
        }
        None => {
            // They tell of the message that came, not of this one.
            for name in [CONTENT_LENGTH, DATE] {
                head.headers.remove(name);
            }
            let mut map = metadata_of(&head.headers);
            map.insert(headers::HTTP_STATUS, HeaderValue::from(head.status.as_u16()));
            (
                MetadataMap::from_headers(map),
                status::of_http(head.status, &data),
            )
        }
    };
    if let Some(mut failed) = failed {
        *failed.metadata_mut() = metadata;
        return Err(failed);
    }
    let message = InvokeResponse {
        content_type: text(&head.headers, CONTENT_TYPE),
        data: Some(Any {
            type_url: text(&head.headers, headers::DATA_TYPE),
            value: data,
        }),
    };
    let mut response = Response::new(message);
    *response.metadata_mut() = metadata;
    Ok(response)
}

fn too_large_or_cut(id: &str, error: &outrigger_transport::Error) -> Status {
    match error {
        outrigger_transport::Error::TooLarge { limit } => {
            Status::resource_exhausted(format!("the answer of {id} is larger than {limit} bytes"))
        }
        error => Status::unavailable(format!(
            "the answer of {id} was cut: {}",
            outrigger_base_std::chain(error)
        )),
    }
}

/// The call in the neutral form.
fn neutral(metadata: MetadataMap, call: InvokeRequest) -> Result<http::Request<Body>, String> {
    let extension = call.http_extension.unwrap_or_default();
    let data = call.data.unwrap_or_default();
    let mut request = http::Request::new(Body::from(data.value));
    *request.method_mut() = match extension.verb() {
        // Calls that name none are for gRPC apps, which do not ask.
        Verb::None => Method::POST,
        verb => verb.as_str_name().parse().unwrap_or(Method::POST),
    };
    *request.uri_mut() = method_uri(&call.method, &extension.querystring)?;
    let map = request.headers_mut();
    *map = without_grpc(metadata.into_headers());
    let content_type = match call.content_type.as_str() {
        "" if !data.type_url.is_empty() => content::PROTOBUF,
        given => given,
    };
    for (name, value) in [(CONTENT_TYPE, content_type), (headers::DATA_TYPE, &data.type_url)] {
        map.remove(&name);
        if let Ok(value) = HeaderValue::from_str(value)
            && !value.is_empty()
        {
            map.insert(name, value);
        }
    }
    Ok(request)
}

/// Metadata of a call without what belongs to gRPC.
fn without_grpc(mut map: HeaderMap) -> HeaderMap {
    let foreign = |name: &&HeaderName| {
        let reserved = name.as_str().starts_with(RESERVED) && **name != headers::GRPC_TRACE_BIN;
        // The caller's library takes trailers of gRPC's; those of the app would not reach it.
        reserved || **name == CONTENT_LENGTH || **name == TE
    };
    let names: Vec<HeaderName> = map.keys().filter(foreign).cloned().collect();
    for name in names {
        map.remove(name);
    }
    map
}

/// Metadata of a gRPC app, as it gave it.
fn of_grpc_app(mut map: HeaderMap) -> MetadataMap {
    for name in [CONTENT_TYPE, CONTENT_LENGTH, headers::DATA_TYPE] {
        map.remove(name);
    }
    MetadataMap::from_headers(map)
}

fn text(map: &HeaderMap, name: HeaderName) -> String {
    let value = map.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}
