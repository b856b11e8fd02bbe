//! The status of a gRPC app on its way between sidecars: an extension inside of one, a header between two.

use http::Response;
use http_body::Body as _;
use outrigger_runtime_channel::AppStatus;
use outrigger_transport::Body;
use outrigger_wire_names::headers;
use tonic::Code;

/// Puts the status of a gRPC app into the header.
pub(super) fn send(response: &mut Response<Body>) {
    let status = response.extensions().get().map(AppStatus::to_header);
    match status {
        Some(value) => response.headers_mut().insert(headers::APP_STATUS, value),
        // An app that speaks HTTP has none, whatever it says.
        None => response.headers_mut().remove(headers::APP_STATUS),
    };
}

/// Takes the status out of the header. Dapr's sidecars send no body with an error: it is made here.
pub(super) fn receive(mut response: Response<Body>) -> Response<Body> {
    let value = response.headers_mut().remove(headers::APP_STATUS);
    let Some(status) = value.as_ref().and_then(AppStatus::from_header) else {
        return response;
    };
    if status.code() != Code::Ok && response.body().is_end_stream() {
        return status.response(std::mem::take(response.headers_mut()));
    }
    response.extensions_mut().insert(status);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_goes_and_comes() {
        let mut response = Response::new(Body::from("body"));
        response.extensions_mut().insert(AppStatus::OK);
        send(&mut response);
        response.extensions_mut().clear();
        let response = receive(response);
        assert_eq!(response.extensions().get(), Some(&AppStatus::OK));
        assert!(response.headers().is_empty());
    }

    #[test]
    fn an_http_app_cannot_claim_a_status() {
        let mut response = Response::new(Body::empty());
        response
            .headers_mut()
            .insert("outrigger-app-status", AppStatus::OK.to_header());
        send(&mut response);
        assert_eq!(receive(response).extensions().get::<AppStatus>(), None);
    }
}
