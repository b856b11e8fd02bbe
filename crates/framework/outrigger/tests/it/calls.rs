//! Calls: extractors, results, errors.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use http::{Method, Request, StatusCode};
use outrigger::{
    App, Body, Caller, Error, Handle, Headers, IntoResponse, Json, MethodName, Path, Query, Response, State,
};
use serde::{Deserialize, Serialize};

use crate::world::{Gear, World};

both! {
    every_extractor_gets_its_part
    results_become_answers
    what_goes_wrong_is_told_to_the_caller
    an_app_that_is_not_there_is_an_error
    a_handler_calls_another_app
}

#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct Order {
    id: u32,
    items: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct Seen {
    id: u32,
    note: Option<String>,
    header: String,
    caller: Option<String>,
    method: String,
    verb: String,
    items: usize,
    count: u32,
}

#[derive(Deserialize)]
struct Note {
    note: Option<String>,
}

#[allow(clippy::too_many_arguments, reason = "every extractor there is")]
async fn see(
    Path(id): Path<u32>,
    Query(query): Query<Note>,
    Headers(headers): Headers,
    State(counter): State<Arc<AtomicU32>>,
    caller: Caller,
    MethodName(method): MethodName,
    verb: Method,
    Json(order): Json<Order>,
) -> Json<Seen> {
    Json(Seen {
        id,
        note: query.note,
        header: headers
            .get("x-test")
            .map(|value| value.to_str().unwrap().to_owned())
            .unwrap_or_default(),
        caller: caller.app_id().map(str::to_owned),
        method,
        verb: verb.to_string(),
        items: order.items.len(),
        count: counter.fetch_add(1, Ordering::Relaxed) + 1,
    })
}

async fn every_extractor_gets_its_part(world: World) {
    let counter = Arc::new(AtomicU32::new(0));
    let shop = world
        .start("shop", Gear::default(), |app| {
            app.with(counter).put("orders/{id}", see)
        })
        .await;
    let client = world
        .start("client", Gear::default(), |app| app.call("idle", idle))
        .await;
    let request = Request::builder()
        .method("PUT")
        .uri("/orders/7?note=a%20b")
        .header("x-test", "yes")
        .header("content-type", "application/json")
        // Only sidecars say who calls.
        .header("dapr-caller-app-id", "somebody-else")
        .body(Body::from(r#"{"id":7,"items":["a","b"]}"#))
        .unwrap();
    let response = client.handle().request(&shop.id, request).await.unwrap();
    assert_eq!(response.status(), 200);
    let body = response.into_body().collect(1 << 20).await.unwrap();
    let seen: Seen = serde_json::from_slice(&body).unwrap();
    let expected = Seen {
        id: 7,
        note: Some("a b".to_owned()),
        header: "yes".to_owned(),
        caller: Some(client.id.clone()),
        method: "orders/7".to_owned(),
        verb: "PUT".to_owned(),
        items: 2,
        count: 1,
    };
    assert_eq!(seen, expected);
    client.end().await;
    shop.end().await;
}

async fn idle() {}

async fn results_become_answers(world: World) {
    async fn created() -> (StatusCode, Json<u8>) {
        (StatusCode::CREATED, Json(1))
    }
    async fn raw(request: outrigger::Request) -> Response {
        let mut response = Response::new(request.into_body());
        *response.status_mut() = StatusCode::ACCEPTED;
        response.headers_mut().insert("x-own", "1".parse().unwrap());
        response
    }
    async fn either(Json(good): Json<bool>) -> Result<String, Error> {
        if good {
            Ok("good".to_owned())
        } else {
            Err(Error::conflict("bad"))
        }
    }
    let app = world
        .start("app", Gear::default(), |app| {
            app.call("nothing", idle)
                .get("text", async || "text")
                .post("created", created)
                .call("raw", raw)
                .call("either", either)
        })
        .await;
    let handle = app.handle();
    let (status, kind, body) = get(handle, &app.id, "/nothing").await;
    assert_eq!((status, kind.as_str(), body.as_str()), (204, "", ""));
    let (status, kind, body) = get(handle, &app.id, "/text").await;
    assert_eq!(
        (status, kind.as_str(), body.as_str()),
        (200, "text/plain; charset=utf-8", "text")
    );
    let one: u8 = handle.invoke(&app.id, "created", &()).await.unwrap();
    assert_eq!(one, 1);
    let request = Request::post("/raw").body(Body::from("body")).unwrap();
    let response = handle.request(&app.id, request).await.unwrap();
    assert_eq!(response.status(), 202);
    assert_eq!(response.headers()["x-own"], "1");
    assert_eq!(response.into_body().collect(100).await.unwrap(), "body");
    let error = handle
        .invoke::<_, ()>(&app.id, "either", &false)
        .await
        .unwrap_err();
    assert_eq!(
        (error.status().unwrap().as_u16(), error.code()),
        (409, Some("CONFLICT"))
    );
    // An answer without a body reads as null.
    handle.invoke::<_, ()>(&app.id, "nothing", &()).await.unwrap();
    app.end().await;
}

async fn get(handle: &Handle, app: &str, path: &str) -> (u16, String, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = handle.request(app, request).await.unwrap();
    let status = response.status().as_u16();
    let kind = response
        .headers()
        .get("content-type")
        .map(|kind| kind.to_str().unwrap().to_owned())
        .unwrap_or_default();
    let body = response.into_body().collect(1 << 20).await.unwrap();
    (status, kind, String::from_utf8(body.to_vec()).unwrap())
}

async fn what_goes_wrong_is_told_to_the_caller(world: World) {
    async fn missing(Json(id): Json<u32>) -> Result<Json<u32>, Error> {
        Err(Error::not_found(format!("there is no order {id}")))
    }
    async fn panics() {
        panic!("on purpose");
    }
    let app = world
        .start("app", Gear::default(), |app| {
            app.post("missing", missing)
                .call("panics", panics)
                .get("orders/{id}", path)
        })
        .await;
    let handle = app.handle();
    let error = handle.invoke::<_, u32>(&app.id, "missing", &7).await.unwrap_err();
    let Error::Answered(answer) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(answer.status, 404);
    assert_eq!(answer.code.as_deref(), Some("NOT_FOUND"));
    assert_eq!(answer.message.as_deref(), Some("there is no order 7"));
    assert_eq!(
        error.to_string(),
        format!(
            "{} answered 404 Not Found to missing: there is no order 7",
            app.id
        )
    );
    for (method, argument, status) in [
        ("missing", "\"seven\"", 400),
        ("nowhere", "1", 404),
        ("orders/7", "1", 405),
        ("panics", "1", 500),
    ] {
        let argument: serde_json::Value = serde_json::from_str(argument).unwrap();
        let error = handle
            .invoke::<_, u32>(&app.id, method, &argument)
            .await
            .unwrap_err();
        assert_eq!(
            error.status().map(|status| status.as_u16()),
            Some(status),
            "{method}"
        );
        assert!(matches!(error, Error::Answered(_)), "{method}: {error:?}");
    }
    let error = handle.fetch::<u32>(&app.id, "orders/seven").await.unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 400);
    assert!(error.to_string().contains("is not a whole number"), "{error}");
    let error = handle.fetch::<String>(&app.id, "orders/7").await.unwrap_err();
    assert!(matches!(error, Error::Decode { .. }), "{error:?}");
    let error = handle.fetch::<u32>(&app.id, "no path").await.unwrap_err();
    assert!(matches!(error, Error::Input(_)), "{error:?}");
    app.end().await;
}

async fn path(Path(id): Path<u32>) -> Json<u32> {
    Json(id)
}

async fn an_app_that_is_not_there_is_an_error(world: World) {
    let app = world
        .start("app", Gear::default(), |app| app.call("idle", idle))
        .await;
    let nobody = world.id("nobody");
    let error = app.handle().fetch::<u32>(&nobody, "x").await.unwrap_err();
    assert!(matches!(error, Error::Refused(_)), "{error:?}");
    assert_eq!(error.code(), Some("ERR_DIRECT_INVOKE"));
    assert_eq!(error.status().unwrap().as_u16(), 500);
    assert!(error.retryable());
    assert!(
        error
            .to_string()
            .starts_with(&format!("failed to invoke, id: {nobody}, err: ")),
        "{error}"
    );
    app.end().await;
}

async fn a_handler_calls_another_app(world: World) {
    async fn double(Json(number): Json<u32>) -> Json<u32> {
        Json(number * 2)
    }
    async fn twice(
        State(other): State<String>,
        handle: Handle,
        Json(number): Json<u32>,
    ) -> Result<Json<u32>, Error> {
        let once: u32 = handle.invoke(&other, "double", &number).await?;
        Ok(Json(handle.invoke(&other, "double", &once).await?))
    }
    async fn broken(State(other): State<String>, handle: Handle) -> Result<(), Error> {
        handle.fetch(&other, "not-there").await
    }
    let inner = world
        .start("inner", Gear::default(), |app| app.call("double", double))
        .await;
    let outer = world
        .start("outer", Gear::default(), |app: App| {
            app.with(inner.id.clone())
                .call("twice", twice)
                .call("broken", broken)
        })
        .await;
    let answer: u32 = outer.handle().invoke(&outer.id, "twice", &3).await.unwrap();
    assert_eq!(answer, 12);
    // What an operation of the handler met is no answer of its own.
    let error = inner.handle().fetch::<()>(&outer.id, "broken").await.unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 502);
    assert_eq!(error.code(), Some("NOT_FOUND"));
    outer.end().await;
    inner.end().await;
}

#[test]
fn an_error_of_a_handler_is_json() {
    let response = Error::bad_request("no").into_response();
    assert_eq!(response.status(), 400);
    assert_eq!(response.headers()["content-type"], "application/json");
}
