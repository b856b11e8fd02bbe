//! Bodies stream both ways.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::Frame;
use http_body_util::{BodyExt, Full};
use outrigger::transport::Error;
use outrigger::{Body, Request, Response};
use tokio::sync::mpsc;

use crate::world::{Gear, World};

both! {
    bodies_stream_both_ways
    large_bodies_pass
    an_answer_that_breaks_off_is_an_error
    trailers_go_along
}

/// A body whose chunks come from a channel; `Err` breaks it off.
struct Chunks(mpsc::Receiver<Result<Bytes, &'static str>>);

impl http_body::Body for Chunks {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0
            .poll_recv(cx)
            .map(|chunk| chunk.map(|chunk| chunk.map(Frame::data)))
    }
}

async fn echo(request: Request) -> Response {
    Response::new(request.into_body())
}

async fn bodies_stream_both_ways(world: World) {
    let app = world
        .start("echo", Gear::default(), |app| app.post("echo", echo))
        .await;
    let caller = world
        .start("caller", Gear::default(), |app| app.post("idle", echo))
        .await;
    let (sender, chunks) = mpsc::channel(1);
    let request = http::Request::post("/echo")
        .body(Body::boxed(Chunks(chunks)))
        .unwrap();
    sender.send(Ok("first".into())).await.unwrap();
    let response = caller.handle().request(&app.id, request).await.unwrap();
    let mut body = response.into_body();
    assert_eq!(next(&mut body).await.unwrap().unwrap(), "first");
    // The second chunk is sent after the first one has come back: nobody holds the body until its end.
    sender.send(Ok("second".into())).await.unwrap();
    assert_eq!(next(&mut body).await.unwrap().unwrap(), "second");
    drop(sender);
    assert!(next(&mut body).await.is_none());
    caller.end().await;
    app.end().await;
}

async fn next(body: &mut Body) -> Option<Result<Bytes, Error>> {
    let frame = body.frame().await?;
    Some(frame.map(|frame| frame.into_data().unwrap_or_default()))
}

async fn large_bodies_pass(world: World) {
    const SIZE: usize = 3 << 20;
    let app = world
        .start("echo", Gear::default(), |app| app.post("echo", echo))
        .await;
    let payload = Bytes::from(vec![7u8; SIZE]);
    let request = http::Request::post("/echo")
        .body(Body::from(payload.clone()))
        .unwrap();
    let response = app.handle().request(&app.id, request).await.unwrap();
    assert_eq!(response.into_body().collect(SIZE as u64).await.unwrap(), payload);
    app.end().await;
}

async fn an_answer_that_breaks_off_is_an_error(world: World) {
    async fn breaks_off() -> Body {
        let (sender, chunks) = mpsc::channel(2);
        sender.send(Ok("half".into())).await.unwrap();
        sender.send(Err("the rest is lost")).await.unwrap();
        Body::boxed(Chunks(chunks))
    }
    let app = world
        .start("app", Gear::default(), |app| app.get("half", breaks_off))
        .await;
    let caller = world
        .start("caller", Gear::default(), |app| app.post("idle", echo))
        .await;
    let request = http::Request::get("/half").body(Body::empty()).unwrap();
    // The error may overtake the head: then there is no answer at all.
    if let Ok(response) = caller.handle().request(&app.id, request).await {
        assert!(response.into_body().collect(100).await.is_err());
    }
    let error = caller
        .handle()
        .fetch::<String>(&app.id, "half")
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            outrigger::Error::Decode { .. } | outrigger::Error::Refused(_)
        ),
        "{error:?}"
    );
    caller.end().await;
    app.end().await;
}

/// A body with one trailer.
fn with_trailer(data: &'static str, name: &'static str, value: HeaderValue) -> Body {
    let trailers = HeaderMap::from_iter([(http::HeaderName::from_static(name), value)]);
    let body = Full::new(Bytes::from(data)).with_trailers(async move { Some(Ok(trailers)) });
    Body::boxed(body)
}

async fn trailers_go_along(world: World) {
    async fn summed(request: Request) -> Response {
        assert!(!request.headers().contains_key("connection"));
        let asked = BodyExt::collect(request.into_body()).await.unwrap();
        let sum = asked
            .trailers()
            .and_then(|trailers| trailers.get("x-sum"))
            .cloned();
        let sum = sum.unwrap_or(HeaderValue::from_static("none"));
        let mut response = Response::new(with_trailer("answer", "x-seen", sum));
        response
            .headers_mut()
            .insert("trailer", HeaderValue::from_static("x-seen"));
        response
    }
    let app = world
        .start("app", Gear::default(), |app| app.post("summed", summed))
        .await;
    let caller = world
        .start("caller", Gear::default(), |app| app.post("idle", echo))
        .await;
    for handle in [caller.handle(), app.handle()] {
        let request = http::Request::post("/summed")
            .header("te", "trailers")
            .header("trailer", "x-sum")
            .header("connection", "x-own")
            .body(with_trailer("asked", "x-sum", HeaderValue::from_static("7")))
            .unwrap();
        let response = handle.request(&app.id, request).await.unwrap();
        assert_eq!(response.status(), 200);
        let answer = BodyExt::collect(response.into_body()).await.unwrap();
        assert_eq!(answer.trailers().unwrap()["x-seen"], "7");
        assert_eq!(answer.to_bytes(), "answer");
    }
    caller.end().await;
    app.end().await;
}
