//! `shipping`: sends off what was ordered. The runtime is in its process; it has no sidecar. It may die at any moment: an
//! order is acknowledged only after its fate was published, and every step may be done twice.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use outrigger::{
    App, Error, Event, Handle, Json, Topic, Verdict,
    resilience::{self, Backoff, Policy},
};
use serde::Serialize;
use serde_json::json;

use super::order::{DEAD, Label, ORDERS, Order, PUBSUB, REJECTED, Reservation, SHIPPED, event_of};

/// What a neighbour that is away for a moment is granted: 10 s. Only what nobody can ship belongs into the dead-letter
/// topic, not what came while a neighbour was being restarted.
const PATIENCE: Policy = Policy::retry(Backoff::constant(Duration::from_millis(200)), 50);

/// What an order in hand is granted when the service ends; one that takes longer goes back to the broker.
const GRACEFUL: Duration = Duration::from_secs(2);

/// The service.
pub(crate) fn app() -> App {
    App::new("shipping")
        .internal(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
        .graceful(GRACEFUL)
        .get("ready", async || Json("ready"))
        // What cannot be read as an order is dropped, and goes to the dead-letter topic.
        .subscribe(Topic::new(PUBSUB, ORDERS).otherwise(ship).dead_letter(DEAD))
}

async fn ship(shop: Handle, order: Event<Order>) -> Result<Verdict, Error> {
    let order = order.data;
    let reserved = patiently(|| shop.invoke("stock", "reservations", &order)).await;
    let reservation: Reservation = match reserved {
        Err(error) if is_refusal(&error) => {
            tracing::warn!("order {} is given up: {error}", order.id);
            return Ok(Verdict::Drop);
        }
        other => other?,
    };
    if !reservation.granted {
        publish(&shop, REJECTED, &order.id, &order).await?;
        return Ok(Verdict::Done);
    }
    // The courier is a plain HTTP server that never heard of us; it is called like any other app.
    let parcel = json!({"order": order.id});
    let label: Label = patiently(|| shop.invoke("courier", "labels", &parcel)).await?;
    publish(&shop, SHIPPED, &order.id, &label).await?;
    Ok(Verdict::Done)
}

async fn publish(shop: &Handle, topic: &str, order: &str, event: &impl Serialize) -> Result<(), Error> {
    let event = serde_json::to_vec(event).map_err(Error::internal)?;
    shop.publish_bytes(PUBSUB, topic, event, event_of(order)).await
}

/// Whether the neighbour was reached and found the order wrong: asking again would not help.
fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::Answered(answer) if answer.status.is_client_error())
}

async fn patiently<T, F>(call: impl Fn() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let attempt = |()| {
        // A call is a large future; one that is repeated stays small this way.
        let call = Box::pin(call());
        async {
            call.await.map_err(|error| {
                if is_refusal(&error) {
                    resilience::Verdict::Final(error)
                } else {
                    resilience::Verdict::Again { error, input: () }
                }
            })
        }
    };
    PATIENCE.run((), attempt).await
}
