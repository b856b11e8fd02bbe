//! One accepted connection, from its first bytes to its end.

use std::{convert::Infallible, pin::pin};

use http::{Request, Response};
use outrigger_base_task::StopSignal;
use tower_service::Service;

use super::{HEAD_TICKS, Options, http1, http2, io::Io, listen::Stream, signals::Signals};
use crate::Body;

/// Serves a connection. When `intake` goes off it finishes the exchange in hand and ends; when `stop` does, it ends.
pub(super) async fn run<S>(stream: Stream, service: S, options: Options, stop: StopSignal, intake: StopSignal)
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let mut signals = pin!(Signals::new(&stop, &intake, options.tick()));
    let mut io = Io::new(stream);
    let first_bytes = io.begins_with_http2();
    let Some(Ok(is_http2)) = signals.as_mut().within(HEAD_TICKS, first_bytes).await else {
        return;
    };
    match is_http2 {
        // Idle connections are HTTP/1.1 as a rule: only they are kept in this future, the larger others in a box.
        true if options.http2 => Box::pin(http2::serve(io, service, options, signals)).await,
        false if options.http1 => http1::serve(io, service, options, signals).await,
        // The protocol is switched off here: the connection is closed, as by a server that does not know it.
        _ => {}
    }
}
