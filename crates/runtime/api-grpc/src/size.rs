//! Messages that are too large, told as the peers tell it: clients know RESOURCE_EXHAUSTED, the codec says OUT_OF_RANGE.

use http::Response;
use outrigger_transport::Body;
use outrigger_wire_names::headers;
use tonic::{Code, Status};

use crate::status;

/// How the codec begins its message about a request that is too large.
const TOO_LARGE: &str = "Error, decoded message length too large: found ";
/// What stands between the two numbers there.
const LIMIT: &str = " bytes, the limit is: ";

/// Tells the refusal of a large request in the peers' words; other answers stay.
pub(crate) fn as_peers_tell(response: Response<Body>) -> Response<Body> {
    if !response.headers().contains_key(headers::GRPC_STATUS) {
        return response;
    }
    let refused = Status::from_header_map(response.headers())
        .filter(|status| status.code() == Code::OutOfRange)
        .and_then(|status| reworded(status.message()));
    match refused {
        Some(message) => status::answer(&Status::resource_exhausted(message)),
        None => response,
    }
}

fn reworded(message: &str) -> Option<String> {
    let (found, limit) = message.strip_prefix(TOO_LARGE)?.split_once(LIMIT)?;
    let limit = limit.strip_suffix(" bytes")?;
    Some(format!(
        "grpc: received message larger than max ({found} vs. {limit})"
    ))
}
