//! The picker as a `tower` service.

use std::{
    future::Future,
    hash::Hash,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower_service::Service;

use crate::{Picked, Picker};

/// Puts an endpoint to every request, and learns from how the service inside did with it.
///
/// The service inside takes [`Directed`] requests; a pooled client that dials the endpoint it is given is one.
/// An error of it counts against the endpoint if `unreachable` says that it means so; any other outcome counts
/// for it. A request is in flight until the inner future is done or dropped.
///
/// Clones share what they know of the endpoints.
#[derive(Debug)]
pub struct Balance<S, L, E, K, U> {
    inner: S,
    endpoints: L,
    picker: Arc<Picker<E, K>>,
    unreachable: U,
}

/// A request and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directed<E, R> {
    /// The chosen endpoint.
    pub endpoint: E,
    /// The request as it was.
    pub request: R,
}

/// Where a [`Balance`] finds the endpoints of the moment. Any `Fn() -> Arc<[E]>` is one, and a fixed list.
pub trait Endpoints<E> {
    /// The endpoints of the moment, shared.
    fn endpoints(&self) -> Arc<[E]>;
}

/// Why a balanced request failed.
#[derive(Debug, thiserror::Error)]
pub enum Error<E> {
    /// There was no endpoint to choose.
    #[error("the request was not sent: there are no endpoints to choose from")]
    NoEndpoints,
    /// The service inside failed.
    #[error("the chosen endpoint did not serve the request")]
    Inner(#[source] E),
}

pin_project! {
    /// The response of a [`Balance`].
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F, U> {
        #[pin]
        state: State<F, U>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F, U> {
        NoEndpoints,
        Sent {
            #[pin]
            inner: F,
            picked: Option<Picked>,
            unreachable: U,
        },
    }
}

// === impl Endpoints ===

impl<E> Endpoints<E> for Arc<[E]> {
    fn endpoints(&self) -> Self {
        self.clone()
    }
}

impl<E, F: Fn() -> Arc<[E]>> Endpoints<E> for F {
    fn endpoints(&self) -> Arc<[E]> {
        self()
    }
}

// === impl Balance ===

impl<S, L, E, K, U> Balance<S, L, E, K, U> {
    /// Balances the requests to `inner` over `endpoints` as `picker` chooses. `unreachable` tells which errors
    /// mean that the endpoint could not be reached; with `|_| true` all do.
    pub fn new(inner: S, endpoints: L, picker: Arc<Picker<E, K>>, unreachable: U) -> Self {
        Self {
            inner,
            endpoints,
            picker,
            unreachable,
        }
    }
}

impl<S: Clone, L: Clone, E, K, U: Clone> Clone for Balance<S, L, E, K, U> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            endpoints: self.endpoints.clone(),
            picker: self.picker.clone(),
            unreachable: self.unreachable.clone(),
        }
    }
}

impl<S, L, E, K, U, R> Service<R> for Balance<S, L, E, K, U>
where
    S: Service<Directed<E, R>>,
    L: Endpoints<E>,
    E: Clone,
    K: Eq + Hash + Clone,
    U: Fn(&S::Error) -> bool + Clone,
{
    type Response = S::Response;
    type Error = Error<S::Error>;
    type Future = ResponseFuture<S::Future, U>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(Error::Inner)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let endpoints = self.endpoints.endpoints();
        let picked = self.picker.pick(&endpoints, Instant::now().into_std());
        let state = match picked.and_then(|picked| Some((endpoints.get(picked.index())?.clone(), picked))) {
            Some((endpoint, picked)) => State::Sent {
                inner: self.inner.call(Directed { endpoint, request }),
                picked: Some(picked),
                unreachable: self.unreachable.clone(),
            },
            None => State::NoEndpoints,
        };
        ResponseFuture { state }
    }
}

// === impl ResponseFuture ===

impl<F, U, T, E> Future for ResponseFuture<F, U>
where
    F: Future<Output = Result<T, E>>,
    U: Fn(&E) -> bool,
{
    type Output = Result<T, Error<E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProj::NoEndpoints => Poll::Ready(Err(Error::NoEndpoints)),
            StateProj::Sent {
                inner,
                picked,
                unreachable,
            } => {
                let result = ready!(inner.poll(cx));
                match (&result, picked.take()) {
                    (Err(error), Some(picked)) if unreachable(error) => {
                        picked.failure(Instant::now().into_std());
                    }
                    (_, Some(picked)) => picked.success(),
                    (_, None) => {}
                }
                Poll::Ready(result.map_err(Error::Inner))
            }
        }
    }
}

impl<F, U> std::fmt::Debug for ResponseFuture<F, U> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tower::{ServiceExt, service_fn};

    use super::*;
    use crate::{Options, Strategy};

    /// Endpoint 0 refuses, endpoint 1 answers "no", the others answer with their number.
    async fn serve(directed: Directed<u32, ()>) -> Result<u32, &'static str> {
        match directed.endpoint {
            0 => Err("refused"),
            1 => Err("no"),
            other => Ok(other),
        }
    }

    fn picker() -> Arc<Picker<u32, u32>> {
        Arc::new(Picker::of_keys(
            Options::with_strategy(Strategy::RoundRobin),
            Instant::now().into_std(),
        ))
    }

    #[tokio::test(start_paused = true)]
    async fn an_endpoint_that_refuses_is_ejected_and_one_that_answers_badly_is_not() {
        let endpoints: Arc<[u32]> = [0, 1, 2].into();
        let balance = Balance::new(service_fn(serve), endpoints, picker(), |error: &&str| {
            *error == "refused"
        });
        let (mut refused, mut bad, mut good) = (0, 0, 0);
        for _ in 0..30 {
            match balance.clone().oneshot(()).await {
                Err(Error::Inner("refused")) => refused += 1,
                Err(Error::Inner("no")) => bad += 1,
                Ok(2) => good += 1,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(refused, 3);
        assert!(bad >= 12 && good >= 12, "{bad} {good}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_list_of_the_moment_is_asked_for_each_request() {
        let list = Arc::new(Mutex::new(Arc::<[u32]>::from([])));
        let source = {
            let list = list.clone();
            move || list.lock().unwrap().clone()
        };
        let balance = Balance::new(service_fn(serve), source, picker(), |_: &&str| true);
        assert!(matches!(
            balance.clone().oneshot(()).await,
            Err(Error::NoEndpoints)
        ));
        *list.lock().unwrap() = [7].into();
        assert_eq!(balance.oneshot(()).await.unwrap(), 7);
    }
}
