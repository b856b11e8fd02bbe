//! The HTTP/2 channel as a tower service, which is what generated gRPC clients are built over.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body::Body as HttpBody;
use outrigger_base_std::BoxError;
use tower_service::Service;

use super::Http2Channel;
use crate::{Body, Error};

impl<B> Service<Request<B>> for Http2Channel
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let channel = self.clone();
        let mut request = request.map(Body::boxed);
        *request.version_mut() = http::Version::HTTP_2;
        Box::pin(async move {
            if request.uri().authority().is_none() {
                let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
                *request.uri_mut() = channel
                    .absolute(path)
                    .map_err(|error| Error::Broken(error.into()))?;
            }
            channel.send(request).await.map_err(Error::from)
        })
    }
}

impl Http2Channel {
    /// The absolute URI for a path at this channel's target, which HTTP/2 needs in every request.
    pub fn absolute(&self, path: &str) -> Result<Uri, http::Error> {
        let connect = self.connect();
        let scheme = if connect.is_tls() { "https" } else { "http" };
        Uri::builder()
            .scheme(scheme)
            .authority(connect.target().authority())
            .path_and_query(path)
            .build()
    }
}
