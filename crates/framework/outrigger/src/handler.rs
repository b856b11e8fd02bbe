//! Handlers: plain async functions.

mod erased;

use crate::{
    Error, Provided, Request,
    extract::{FromParts, FromRequest},
};

pub(crate) use erased::{CallFn, EventFn, call_fn, event_fn};

/// An async function whose arguments are extractors, up to eight of them. The last one may take the body.
///
/// `M` is found by the compiler; leave it out. When a function is not taken for a handler, an argument is no extractor
/// ([`extract`](crate::extract)), one before the last takes the body, or its future is not `Send`.
pub trait Handler<M>: Clone + Send + Sync + 'static {
    /// What the function gives back.
    type Output: Send;

    /// Makes the arguments and calls the function.
    ///
    /// # Errors
    /// The first argument that could not be made.
    fn call(self, request: Request) -> impl Future<Output = Result<Self::Output, Error>> + Send;

    /// Says before the app starts what is missing for this ever to work.
    ///
    /// # Errors
    /// A sentence for the developer.
    fn check(app: &Provided) -> Result<(), String>;
}

impl<F, Fut, R> Handler<()> for F
where
    F: FnOnce() -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = R> + Send,
    R: Send,
{
    type Output = R;

    async fn call(self, request: Request) -> Result<R, Error> {
        drop(request);
        Ok(self().await)
    }

    fn check(_: &Provided) -> Result<(), String> {
        Ok(())
    }
}

macro_rules! handler {
    ($($part:ident)* | $last:ident) => {
        impl<F, Fut, R, M, $($part,)* $last> Handler<(M, $($part,)* $last,)> for F
        where
            F: FnOnce($($part,)* $last) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future<Output = R> + Send,
            R: Send,
            $($part: FromParts + Send,)*
            $last: FromRequest<M> + Send,
        {
            type Output = R;

            #[allow(non_snake_case, unused_mut, reason = "arguments are named after their types")]
            async fn call(self, request: Request) -> Result<R, Error> {
                let (mut parts, body) = request.into_parts();
                $(let $part = $part::from_parts(&mut parts)?;)*
                let $last = $last::from_request(Request::from_parts(parts, body)).await?;
                Ok(self($($part,)* $last).await)
            }

            fn check(app: &Provided) -> Result<(), String> {
                $(<$part as FromParts>::check(app)?;)*
                <$last as FromRequest<M>>::check(app)
            }
        }
    };
}

handler!(| A);
handler!(A | B);
handler!(A B | C);
handler!(A B C | D);
handler!(A B C D | E);
handler!(A B C D E | G);
handler!(A B C D E G | H);
handler!(A B C D E G H | I);
