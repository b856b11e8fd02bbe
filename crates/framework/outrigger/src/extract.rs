//! Extractors: what the arguments of a handler are made from.
//!
//! An argument is anything that is [`FromParts`], which looks at the head of the request; the last one may instead be
//! [`FromRequest`], which takes the body. The same extractors serve calls and events.
//!
//! | argument | what it is | when it cannot be made |
//! |---|---|---|
//! | [`Json<T>`] | the body | 400 |
//! | [`Event<T>`] | the event, in a handler of a topic | the event is dropped |
//! | [`Path<T>`] | the captures of the method's pattern | 400 |
//! | [`Query<T>`] | the query string | 400 |
//! | [`State<T>`] | a value given to [`App::with`](crate::App::with) | the app does not start |
//! | [`Handle`](crate::Handle) | the building blocks | 503 while the app ends |
//! | [`Caller`] | who called | never |
//! | [`MethodName`], [`Headers`], [`http::Method`], [`http::Uri`] | parts of the head | never |
//! | [`bytes::Bytes`], `String` | the whole body | 400 |
//! | [`Request`] | the request, its body unread | never |

mod body;
mod event;
mod head;
mod params;
mod state;

use http::request::Parts;

pub use body::Json;
pub use event::{Data, Event, EventData, Payload};
pub use head::{Caller, Headers, MethodName, Path, Query};
pub(crate) use params::{Pairs, decode};
pub use state::{Provided, State};

use crate::{Error, Request};

/// What can be made from the head of a request.
pub trait FromParts: Sized {
    /// Makes it.
    ///
    /// # Errors
    /// What the caller is answered instead; see [`Error::new`].
    fn from_parts(parts: &mut Parts) -> Result<Self, Error>;

    /// Says before the app starts what is missing for this ever to work.
    ///
    /// # Errors
    /// A sentence for the developer.
    fn check(_: &Provided) -> Result<(), String> {
        Ok(())
    }
}

/// What can be made from a whole request. `M` only tells the two ways of being it apart; leave it out.
pub trait FromRequest<M = ViaRequest>: Sized {
    /// Makes it.
    ///
    /// # Errors
    /// What the caller is answered instead; see [`Error::new`].
    fn from_request(request: Request) -> impl Future<Output = Result<Self, Error>> + Send;

    /// Says before the app starts what is missing for this ever to work.
    ///
    /// # Errors
    /// A sentence for the developer.
    fn check(_: &Provided) -> Result<(), String> {
        Ok(())
    }
}

/// Marks [`FromRequest`] of what takes the body.
#[derive(Debug, Clone, Copy)]
pub enum ViaRequest {}

/// Marks [`FromRequest`] of what is [`FromParts`].
#[derive(Debug, Clone, Copy)]
pub enum ViaParts {}

impl<T: FromParts + Send> FromRequest<ViaParts> for T {
    async fn from_request(request: Request) -> Result<Self, Error> {
        let (mut parts, body) = request.into_parts();
        drop(body);
        T::from_parts(&mut parts)
    }

    fn check(app: &Provided) -> Result<(), String> {
        <T as FromParts>::check(app)
    }
}
