//! A shop: orders come in by a call, are kept in a state store, and are shipped by whoever hears of them.
//!
//! ```text
//! cargo run -p outrigger --example orders
//! outrigger invoke --app-id orders --method create-order --data '{"item":"pen","count":3}'
//! ```
//!
//! The same program runs beside a sidecar: `outrigger run --app-id orders --app-port 8080 -- orders`.

#![allow(clippy::print_stderr, reason = "an example has no log")]

use outrigger::{App, Error, Event, Handle, Json, Path, Topic, Verdict};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Order {
    #[serde(default)]
    id: u64,
    item: String,
    count: u32,
    #[serde(default)]
    shipped: bool,
}

async fn create_order(handle: Handle, Json(mut order): Json<Order>) -> Result<Json<Order>, Error> {
    if order.count == 0 {
        return Err(Error::bad_request("an order needs a count"));
    }
    let store = handle.state("statestore");
    order.id = store
        .update("last-id", |last: Option<u64>| Ok(last.unwrap_or(0) + 1))
        .await?;
    store.create(&format!("order-{}", order.id), &order).await?;
    handle.publish("pubsub", "orders", &order).await?;
    Ok(Json(order))
}

async fn order(handle: Handle, Path(id): Path<u64>) -> Result<Json<Order>, Error> {
    let found = handle.state("statestore").get(&format!("order-{id}")).await?;
    found
        .map(Json)
        .ok_or_else(|| Error::not_found(format!("there is no order {id}")))
}

async fn ship(handle: Handle, event: Event<Order>) -> Result<Verdict, Error> {
    if event.data.item == "elephant" {
        return Ok(Verdict::Drop);
    }
    let key = format!("order-{}", event.data.id);
    let shipped = |order: Option<Order>| {
        let order = order.ok_or_else(|| Error::not_found("the order is gone"))?;
        Ok(Order {
            shipped: true,
            ..order
        })
    };
    handle.state("statestore").update(&key, shipped).await?;
    Ok(Verdict::Done)
}

async fn give_up(event: Event<Order>) {
    eprintln!("cannot ship order {}: {}", event.data.id, event.data.item);
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    App::new("orders")
        .post("create-order", create_order)
        .get("orders/{id}", order)
        .subscribe(
            Topic::new("pubsub", "orders")
                .otherwise(ship)
                .dead_letter("not-shipped"),
        )
        .on("pubsub", "not-shipped", give_up)
        .run()
        .await
}
