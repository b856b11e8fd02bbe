//! `ledger`: writes down what became of every order. Events come at least once; an entry is made once.

use std::collections::BTreeMap;

use outrigger::{App, Error, Event, Handle, Json, Path, Payload};
use serde::{Deserialize, Serialize};

use super::order::{DEAD, Label, Order, PUBSUB, REJECTED, SHIPPED, STORE};

/// Pages of the ledger. An entry is a change of its page, so that few pages mean many conflicts and many pages mean many
/// reads.
const PAGES: u32 = 32;

/// What became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Fate {
    /// It left the house.
    Shipped,
    /// The stock did not suffice.
    Rejected,
    /// Nobody could make sense of it.
    DeadLettered,
}

/// The entry of an order: how often each fate was reported. In a ledger that is right, that is one fate.
pub(crate) type Entry = BTreeMap<Fate, u32>;
/// Entries by order.
pub(crate) type Entries = BTreeMap<String, Entry>;

/// What the ledger comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Summary {
    /// Orders that have an entry.
    pub(crate) orders: usize,
    /// Events that told something new, or something again.
    pub(crate) events: u64,
}

/// The service.
pub(crate) fn app() -> App {
    App::new("ledger")
        .on(PUBSUB, SHIPPED, shipped)
        .on(PUBSUB, REJECTED, rejected)
        .on(PUBSUB, DEAD, dead)
        .get("entries", all)
        .get("entries/{order}", one)
        .get("summary", summary)
}

async fn shipped(shop: Handle, parcel: Event<Label>) -> Result<(), Error> {
    enter(&shop, parcel.id, Fate::Shipped).await
}

async fn rejected(shop: Handle, order: Event<Order>) -> Result<(), Error> {
    enter(&shop, order.id, Fate::Rejected).await
}

/// The event is the order's own, as it was published; what is in it does not matter, for nobody could read it.
async fn dead(shop: Handle, order: Event<Payload>) -> Result<(), Error> {
    enter(&shop, order.id, Fate::DeadLettered).await
}

/// The event's id is the order's: an event that came before changes a count, never the books.
async fn enter(shop: &Handle, order: String, fate: Fate) -> Result<(), Error> {
    let change = |page: Option<Entries>| {
        let mut page = page.unwrap_or_default();
        let times = page.entry(order.clone()).or_default().entry(fate).or_default();
        *times = times.saturating_add(1);
        Ok(page)
    };
    shop.state(STORE).update(&page_of(&order), change).await.map(drop)
}

async fn all(shop: Handle) -> Result<Json<Entries>, Error> {
    read(&shop).await.map(Json)
}

async fn one(shop: Handle, Path(order): Path<String>) -> Result<Json<Entry>, Error> {
    let page: Option<Entries> = shop.state(STORE).get(&page_of(&order)).await?;
    let entry = page.and_then(|mut page| page.remove(&order));
    entry
        .map(Json)
        .ok_or_else(|| Error::not_found("this order has no entry"))
}

async fn summary(shop: Handle) -> Result<Json<Summary>, Error> {
    let entries = read(&shop).await?;
    let events = entries
        .values()
        .flat_map(BTreeMap::values)
        .map(|times| u64::from(*times))
        .sum();
    Ok(Json(Summary {
        orders: entries.len(),
        events,
    }))
}

async fn read(shop: &Handle) -> Result<Entries, Error> {
    let keys: Vec<String> = (0..PAGES).map(page_key).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let pages: Vec<Option<Entries>> = shop.state(STORE).get_many(&keys).await?;
    Ok(pages.into_iter().flatten().flatten().collect())
}

/// The page of an order: any spread will do, as long as it is always the same.
fn page_of(order: &str) -> String {
    let spread = order
        .bytes()
        .fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    page_key(spread % PAGES)
}

fn page_key(number: u32) -> String {
    format!("page-{number}")
}
