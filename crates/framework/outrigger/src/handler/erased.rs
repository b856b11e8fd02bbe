//! Handlers of whatever arguments, in one type.

use std::{panic::AssertUnwindSafe, pin::Pin, sync::Arc};

use futures_util::FutureExt;
use http::StatusCode;

use super::Handler;
use crate::{Error, IntoResponse, IntoVerdict, Request, Response, Verdict};

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A handler of calls.
pub(crate) type CallFn = Arc<dyn Fn(Request) -> Boxed<Response> + Send + Sync>;

/// A handler of events.
pub(crate) type EventFn = Arc<dyn Fn(Request) -> Boxed<Verdict> + Send + Sync>;

/// A handler of calls. One that panics answers 500: it must not take the connection of others with it.
pub(crate) fn call_fn<M, H>(handler: H) -> CallFn
where
    H: Handler<M>,
    H::Output: IntoResponse,
{
    Arc::new(move |request| {
        let handler = handler.clone();
        Box::pin(async move {
            match AssertUnwindSafe(handler.call(request)).catch_unwind().await {
                Ok(Ok(output)) => output.into_response(),
                Ok(Err(error)) => error.into_response(),
                Err(_) => {
                    tracing::error!("a handler panicked");
                    Error::internal("the handler panicked").into_response()
                }
            }
        })
    })
}

/// A handler of events. An event that cannot be read is dropped: it will not become readable. One that is too large for
/// the app's limit counts as failed: the limit is the app's to raise. So does one whose handler panics.
pub(crate) fn event_fn<M, H>(handler: H) -> EventFn
where
    H: Handler<M>,
    H::Output: IntoVerdict,
{
    Arc::new(move |request| {
        let handler = handler.clone();
        Box::pin(async move {
            match AssertUnwindSafe(handler.call(request)).catch_unwind().await {
                Ok(Ok(output)) => output.into_verdict(),
                Ok(Err(error)) => refused(&error),
                Err(_) => {
                    tracing::error!("a handler of events panicked");
                    Verdict::Retry
                }
            }
        })
    })
}

fn refused(error: &Error) -> Verdict {
    let is_lasting = error
        .status()
        .is_some_and(|status| status.is_client_error() && status != StatusCode::PAYLOAD_TOO_LARGE);
    let text = outrigger_base_std::chain(error);
    if is_lasting {
        tracing::error!("an event is dropped: {text}");
        Verdict::Drop
    } else {
        tracing::warn!("an event cannot be taken now: {text}");
        Verdict::Retry
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Body, Event};

    async fn verdict(body: &'static str) -> Verdict {
        let handler = event_fn(async |_: Event<u32>| ());
        handler(Request::new(Body::from(body))).await
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_dropped() {
        assert_eq!(verdict(r#"{"data":1}"#).await, Verdict::Done);
        assert_eq!(verdict(r#"{"data":"x"}"#).await, Verdict::Drop);
        assert_eq!(verdict("no event").await, Verdict::Drop);
    }

    #[test]
    fn what_is_too_large_comes_again() {
        let error = |status| Error::new(status, "CODE", "message");
        assert_eq!(refused(&error(StatusCode::PAYLOAD_TOO_LARGE)), Verdict::Retry);
        assert_eq!(refused(&error(StatusCode::BAD_REQUEST)), Verdict::Drop);
        assert_eq!(refused(&error(StatusCode::SERVICE_UNAVAILABLE)), Verdict::Retry);
    }
}
