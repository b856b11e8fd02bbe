//! `stock`: keeps the shelves. Several orders reach for one shelf at a time; the version of the shelf (its ETag) decides
//! who was first, and the others look again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use outrigger::{App, Error, Handle, Json, Path, State};
use serde::{Deserialize, Serialize};

use super::order::{Order, Reservation, STORE};

/// One kind of thing, and whom its pieces are set aside for. It is one value of the store, so that pieces and orders
/// change together.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Shelf {
    /// Pieces that were ever put on it.
    pub(crate) stocked: u32,
    /// Pieces that are free.
    pub(crate) left: u32,
    /// Pieces set aside, by order.
    pub(crate) reserved: BTreeMap<String, u32>,
    /// Orders that it did not suffice for.
    pub(crate) refused: BTreeSet<String>,
}

/// How often somebody else was first.
type Conflicts = Arc<AtomicU64>;

/// The service.
pub(crate) fn app() -> App {
    App::new("stock")
        .with(Conflicts::default())
        .post("shelves/{item}", restock)
        .get("shelves/{item}", look)
        .post("reservations", reserve)
        .get("conflicts", conflicts)
}

impl Shelf {
    /// Sets pieces aside for an order, all or none. An order that was decided stays so: it may be asked about again.
    pub(crate) fn reserve(&mut self, order: &str, quantity: u32) {
        if self.reserved.contains_key(order) || self.refused.contains(order) {
            return;
        }
        match self.left.checked_sub(quantity) {
            Some(left) => {
                self.left = left;
                self.reserved.insert(order.to_owned(), quantity);
            }
            None => {
                self.refused.insert(order.to_owned());
            }
        }
    }

    fn restock(&mut self, pieces: u32) -> Option<()> {
        self.stocked = self.stocked.checked_add(pieces)?;
        // Never more than was stocked.
        self.left = self.left.checked_add(pieces)?;
        Some(())
    }
}

async fn restock(
    shop: Handle,
    Path(item): Path<String>,
    Json(pieces): Json<u32>,
) -> Result<Json<Shelf>, Error> {
    let change = |shelf: Option<Shelf>| {
        let mut shelf = shelf.unwrap_or_default();
        let done = shelf.restock(pieces);
        done.map(|()| shelf)
            .ok_or_else(|| Error::bad_request("the shelf is not that large"))
    };
    shop.state(STORE).update(&key(&item), change).await.map(Json)
}

async fn look(shop: Handle, Path(item): Path<String>) -> Result<Json<Shelf>, Error> {
    let shelf = shop.state(STORE).get(&key(&item)).await?;
    shelf.map(Json).ok_or_else(|| nothing(&item))
}

async fn reserve(
    shop: Handle,
    State(conflicts): State<Conflicts>,
    Json(order): Json<Order>,
) -> Result<Json<Reservation>, Error> {
    let mut looks: u64 = 0;
    let change = |shelf: Option<Shelf>| {
        looks += 1;
        let mut shelf = shelf.ok_or_else(|| nothing(&order.item))?;
        shelf.reserve(&order.id, order.quantity.get());
        Ok(shelf)
    };
    let shelf = shop.state(STORE).update(&key(&order.item), change).await?;
    conflicts.fetch_add(looks.saturating_sub(1), Ordering::Relaxed);
    let granted = shelf.reserved.contains_key(&order.id);
    Ok(Json(Reservation {
        order: order.id,
        granted,
    }))
}

async fn conflicts(State(conflicts): State<Conflicts>) -> Json<u64> {
    Json(conflicts.load(Ordering::Relaxed))
}

fn key(item: &str) -> String {
    format!("shelf-{item}")
}

fn nothing(item: &str) -> Error {
    Error::not_found(format!("there is no shelf of {item:?}"))
}
