//! gRPC calls of peers that are passed through to the app, as they are counted (dapr-runtime.md §6.3).

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, Uri};
use http_body::{Body as HttpBody, Frame, SizeHint};
use outrigger_runtime_telemetry::Telemetry;
use outrigger_transport::{Body, Error};
use outrigger_wire_names::headers;
use tokio::time::Instant;
use tonic::Code;

/// A call that has not ended. It counts when it is dropped: with its status, or as given up.
pub(super) struct Counted {
    telemetry: Arc<Telemetry>,
    uri: Uri,
    start: Instant,
    code: Option<i32>,
}

impl Counted {
    /// Begins with a call; `None` where nothing is counted, and for what names no app.
    pub(super) fn begin(telemetry: &Arc<Telemetry>, request: &Request<Body>) -> Option<Self> {
        let map = request.headers();
        let names_app = map.contains_key(headers::APP_ID) || map.contains_key(headers::CALLEE_APP_ID);
        (telemetry.grpc.is_some() && names_app).then(|| Self {
            telemetry: telemetry.clone(),
            uri: request.uri().clone(),
            start: Instant::now(),
            code: None,
        })
    }

    /// Follows the answer to its end, where its status stands.
    pub(super) fn end(mut self, response: Response<Body>) -> Response<Body> {
        self.see(response.headers());
        response.map(|body| Body::from_frames(CountedBody { body, call: self }))
    }

    fn see(&mut self, map: &HeaderMap) {
        let code = map.get(headers::GRPC_STATUS).and_then(|code| code.to_str().ok());
        self.code = code.and_then(|code| code.parse().ok()).or(self.code);
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if let Some(metrics) = &self.telemetry.grpc {
            let code = self.code.unwrap_or(Code::Cancelled as i32);
            metrics.called(self.uri.path(), code, self.start.elapsed(), None);
        }
    }
}

struct CountedBody {
    body: Body,
    call: Counted,
}

impl HttpBody for CountedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(trailers) = frame.trailers_ref()
        {
            self.call.see(trailers);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
