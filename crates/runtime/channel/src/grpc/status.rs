//! The status that a gRPC app answers, and where it was lost on the way.

mod json;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, header::CONTENT_TYPE};
use outrigger_base_std::chain;
use outrigger_runtime_peer::status::http_of_grpc;
use outrigger_transport::{Body, Error as TransportError};
use outrigger_wire_names::content;
use outrigger_wire_proto::{Any, rpc};
use prost::Message;
use tonic::{Code, Status};

/// Bytes that a status may have in a header between sidecars; beyond it its details stay behind.
const HEADER_LIMIT: usize = 4 * 1024;

/// The status of a gRPC app, as it gave it: among the extensions of every answer of such an app. Its absence means that
/// the app speaks HTTP.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AppStatus(rpc::Status);

impl AppStatus {
    /// All is well.
    pub const OK: Self = Self(rpc::Status {
        code: 0,
        message: String::new(),
        details: Vec::new(),
    });

    pub(super) fn from_tonic(status: &Status) -> Self {
        // Details that are no status are the app's fault, and nothing that could be passed on.
        let rich = rpc::Status::decode(status.details()).unwrap_or_default();
        Self(rpc::Status {
            code: status.code() as i32,
            message: status.message().to_owned(),
            details: rich.details,
        })
    }

    /// Its code.
    pub fn code(&self) -> Code {
        self.0.code.into()
    }

    /// Its message.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Its details.
    pub fn details(&self) -> &[Any] {
        &self.0.details
    }

    /// The status as gRPC callers get it, with its details as they came.
    pub fn to_tonic(&self) -> Status {
        let details = if self.0.details.is_empty() {
            Bytes::new()
        } else {
            self.0.encode_to_vec().into()
        };
        Status::with_details(self.code(), self.message(), details)
    }

    /// Base64 of the `google.rpc.Status`, which travels in a header between sidecars.
    pub fn to_header(&self) -> HeaderValue {
        let mut bytes = self.0.encode_to_vec();
        if bytes.len() > HEADER_LIMIT {
            let message = self.0.message.chars().take(HEADER_LIMIT / 4).collect();
            let bare = rpc::Status {
                code: self.0.code,
                message,
                details: Vec::new(),
            };
            bytes = bare.encode_to_vec();
        }
        // Base64 is always a header value.
        HeaderValue::try_from(BASE64_STANDARD.encode(bytes)).unwrap_or(HeaderValue::from_static(""))
    }

    /// Reads what [`Self::to_header`] wrote; `None` when it is something else.
    pub fn from_header(value: &HeaderValue) -> Option<Self> {
        let bytes = BASE64_STANDARD.decode(value.as_bytes()).ok()?;
        rpc::Status::decode(bytes.as_slice()).ok().map(Self)
    }

    /// The answer that HTTP callers get for an error: the status that stands for it, and itself as JSON.
    pub fn response(self, headers: HeaderMap) -> Response<Body> {
        let mut response = Response::new(Body::from(json::of_status(&self.0)));
        *response.status_mut() = http_of_grpc(self.code());
        *response.headers_mut() = headers;
        let json = HeaderValue::from_static(content::JSON);
        response.headers_mut().insert(CONTENT_TYPE, json);
        response.extensions_mut().insert(self);
        response
    }
}

/// The transport's error behind a status that no app gave; `None` when the app gave it.
pub(super) fn lost(status: &Status) -> Option<TransportError> {
    let source = std::error::Error::source(status)?;
    Some(match source.downcast_ref::<TransportError>() {
        Some(TransportError::Connect { target, source }) => TransportError::Connect {
            target: target.clone(),
            source: chain(&**source).into(),
        },
        Some(TransportError::NotSent) => TransportError::NotSent,
        Some(TransportError::TooLarge { limit }) => TransportError::TooLarge { limit: *limit },
        Some(TransportError::Broken(_) | TransportError::Body(_)) | None => {
            TransportError::Broken(chain(source).into())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_survives_a_header() {
        let status = AppStatus(rpc::Status {
            code: 5,
            message: "nicht da: ü".to_owned(),
            details: vec![Any::pack(&rpc::ErrorInfo {
                reason: "R".to_owned(),
                ..rpc::ErrorInfo::default()
            })],
        });
        assert_eq!(AppStatus::from_header(&status.to_header()), Some(status));
        assert_eq!(
            AppStatus::from_header(&AppStatus::OK.to_header()),
            Some(AppStatus::OK)
        );
        assert_eq!(AppStatus::from_header(&HeaderValue::from_static("*")), None);
    }

    #[test]
    fn a_large_status_loses_its_details_and_not_its_code() {
        let status = AppStatus(rpc::Status {
            code: 3,
            message: "m".repeat(100_000),
            details: vec![Any::raw(vec![1; 100_000])],
        });
        let value = status.to_header();
        assert!(value.len() < 8 * 1024);
        let read = AppStatus::from_header(&value).unwrap();
        assert_eq!((read.code(), read.details().len()), (Code::InvalidArgument, 0));
    }
}
