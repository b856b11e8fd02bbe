//! What an order is, on its way through the shop.

use std::num::NonZeroU32;

use outrigger::{Pairs, PublishOptions};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The components of the shop, as its resources name them.
pub(crate) const STORE: &str = "statestore";
pub(crate) const PUBSUB: &str = "pubsub";

/// Topic of the orders that were accepted.
pub(crate) const ORDERS: &str = "orders";
/// Topic of the orders that left the house.
pub(crate) const SHIPPED: &str = "shipped";
/// Topic of the orders that the stock did not suffice for.
pub(crate) const REJECTED: &str = "rejected";
/// Topic of the orders that nobody can make sense of.
pub(crate) const DEAD: &str = "orders-dead";

/// An order as customers send it. Some of them have odd ideas of what a quantity is; that is not for the till to judge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Slip {
    /// Made up by the customer, so that an order sent twice is one order.
    pub(crate) id: String,
    /// What is wanted.
    pub(crate) item: String,
    /// How many.
    pub(crate) quantity: Value,
}

/// An order as it can be shipped: one or more of something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    /// As the customer named it.
    pub(crate) id: String,
    /// What is wanted.
    pub(crate) item: String,
    /// How many.
    pub(crate) quantity: NonZeroU32,
}

/// What a customer holds in hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Receipt {
    /// The order.
    pub(crate) order: String,
    /// Whether the shop had it already.
    pub(crate) again: bool,
}

/// Whether the stock suffices for an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reservation {
    /// The order.
    pub(crate) order: String,
    /// Whether its pieces are set aside.
    pub(crate) granted: bool,
}

/// The label on a parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Label {
    /// The order in it.
    pub(crate) order: String,
    /// Its number.
    pub(crate) label: String,
}

/// The event of an order has the order's id, however often it is published: whoever receives it can tell.
pub(crate) fn event_of(order: &str) -> PublishOptions {
    PublishOptions {
        metadata: Pairs::from([("cloudevent.id".to_owned(), order.to_owned())]),
        ..PublishOptions::default()
    }
}
