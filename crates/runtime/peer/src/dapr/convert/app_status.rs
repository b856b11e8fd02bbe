//! The status of a gRPC app: a field in Dapr's messages, a header in the neutral form.

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderValue};
use outrigger_wire_names::headers;
use outrigger_wire_proto::{internals::Status, rpc};
use prost::Message;

/// Reads the header; `None` where the app speaks HTTP.
pub(super) fn read(map: &HeaderMap) -> Option<Status> {
    let bytes = BASE64_STANDARD
        .decode(map.get(headers::APP_STATUS)?.as_bytes())
        .ok()?;
    let status = rpc::Status::decode(bytes.as_slice()).ok()?;
    Some(Status {
        code: status.code,
        message: status.message,
        details: status.details,
    })
}

/// Writes the header, unless the status is one of HTTP (100 and above).
pub(super) fn write(map: &mut HeaderMap, status: Status) {
    map.remove(headers::APP_STATUS);
    if status.code >= 100 {
        return;
    }
    let status = rpc::Status {
        code: status.code,
        message: status.message,
        details: status.details,
    };
    if let Ok(value) = HeaderValue::try_from(BASE64_STANDARD.encode(status.encode_to_vec())) {
        map.insert(headers::APP_STATUS, value);
    }
}
