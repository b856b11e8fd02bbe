//! `orders`: takes orders. Beside a sidecar; the same program runs embedded when no sidecar is named.

use outrigger::{App, Error, Handle, Json, Path};

use super::order::{ORDERS, PUBSUB, Receipt, STORE, Slip, event_of};

/// The longest id of an order, in bytes. It stands in keys and in URLs.
const ID_MAX: usize = 64;

/// The service.
pub(crate) fn app() -> App {
    App::new("orders")
        .post("orders", accept)
        .post("orders/lookup", look_up)
        .get("orders/{id}", find)
}

/// An order is accepted once it is on file and published. Whoever gets no answer sends it again, under the same id.
async fn accept(shop: Handle, Json(slip): Json<Slip>) -> Result<Json<Receipt>, Error> {
    check_id(&slip.id)?;
    let store = shop.state(STORE);
    let again = match store.create(&key(&slip.id), &slip).await {
        Ok(()) => false,
        Err(error) if error.is_conflict() => {
            let known: Option<Slip> = store.get(&key(&slip.id)).await?;
            if known.as_ref() != Some(&slip) {
                return Err(Error::conflict("there is another order under this id"));
            }
            true
        }
        Err(error) => return Err(error),
    };
    // An order that came again may be one whose event was never published: so it is published again.
    let event = serde_json::to_vec(&slip).map_err(Error::internal)?;
    shop.publish_bytes(PUBSUB, ORDERS, event, event_of(&slip.id))
        .await?;
    Ok(Json(Receipt {
        order: slip.id,
        again,
    }))
}

/// The order under an id.
async fn find(shop: Handle, Path(id): Path<String>) -> Result<Json<Slip>, Error> {
    check_id(&id)?;
    let slip = shop.state(STORE).get(&key(&id)).await?;
    slip.map(Json)
        .ok_or_else(|| Error::not_found("there is no order under this id"))
}

/// Those of many orders that are on file.
async fn look_up(shop: Handle, Json(ids): Json<Vec<String>>) -> Result<Json<Vec<Slip>>, Error> {
    ids.iter().try_for_each(|id| check_id(id))?;
    let keys: Vec<String> = ids.iter().map(|id| key(id)).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let slips: Vec<Option<Slip>> = shop.state(STORE).get_many(&keys).await?;
    Ok(Json(slips.into_iter().flatten().collect()))
}

fn key(id: &str) -> String {
    format!("order-{id}")
}

fn check_id(id: &str) -> Result<(), Error> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if id.is_empty() || id.len() > ID_MAX || !id.bytes().all(is_plain) {
        return Err(Error::bad_request(
            "an order's id is 1 to 64 letters, digits, - and _",
        ));
    }
    Ok(())
}
