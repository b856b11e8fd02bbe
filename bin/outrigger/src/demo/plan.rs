//! What the customers will want: decided beforehand, and the same for the same number of orders.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{services::order::Slip, shop::Way};

/// What the shop sells.
const GOODS: [&str; 5] = ["canoe", "paddle", "sail", "rope", "anchor"];
/// Most pieces of one order.
const PIECES_MAX: usize = 3;
/// One in so many orders makes no sense: which one.
const POISON: (usize, usize) = (40, 17);
/// One in so many orders is sent twice, by a customer who got no answer fast enough: which one.
const TWICE: (usize, usize) = (25, 7);
/// The stock suffices for this part of what is wanted, so that some orders have to be rejected.
const STOCK: (u32, u32) = (4, 5);
/// A quantity that is none.
pub(crate) const NONSENSE: &str = "a dozen or so";
/// The fewest orders of which one of every kind is among them.
pub(crate) const ORDERS_MIN: u32 = 20;

/// One visit of a customer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Visit {
    pub(crate) slip: Slip,
    pub(crate) way: Way,
    /// Whether it is sent a second time.
    pub(crate) twice: bool,
}

/// Everything that is going to happen.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    /// In the order of arrival.
    pub(crate) visits: Vec<Visit>,
    /// Orders that make no sense.
    pub(crate) poison: BTreeSet<String>,
    /// What is put on the shelves, by item.
    pub(crate) stock: BTreeMap<String, u32>,
}

impl Plan {
    /// A plan for so many orders.
    pub(crate) fn new(orders: u32) -> Self {
        let mut plan = Self {
            visits: Vec::new(),
            poison: BTreeSet::new(),
            stock: BTreeMap::new(),
        };
        let mut wanted: BTreeMap<&str, u32> = BTreeMap::new();
        for index in 0..orders as usize {
            let (id, item) = (format!("o-{:04}", index + 1), GOODS[index % GOODS.len()]);
            let is = |(each, which): (usize, usize)| index % each == which;
            let pieces = 1 + index / GOODS.len() % PIECES_MAX;
            let quantity = if is(POISON) {
                plan.poison.insert(id.clone());
                Value::from(NONSENSE)
            } else {
                *wanted.entry(item).or_default() += pieces as u32;
                Value::from(pieces)
            };
            plan.visits.push(Visit {
                slip: Slip {
                    id,
                    item: item.to_owned(),
                    quantity,
                },
                way: if index % 2 == 0 { Way::Http } else { Way::Grpc },
                twice: is(TWICE),
            });
        }
        let part = |wanted: u32| (wanted * STOCK.0 / STOCK.1).max(1);
        plan.stock = wanted
            .into_iter()
            .map(|(item, wanted)| (item.to_owned(), part(wanted)))
            .collect();
        plan
    }

    /// How many come one way.
    pub(crate) fn by(&self, way: Way) -> usize {
        self.visits.iter().filter(|visit| visit.way == way).count()
    }

    /// How many orders are sent twice.
    pub(crate) fn twice(&self) -> usize {
        self.visits.iter().filter(|visit| visit.twice).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_plan_has_one_of_every_kind() {
        let plan = Plan::new(ORDERS_MIN);
        assert_eq!(plan.visits.len(), 20);
        assert_eq!(plan.poison, BTreeSet::from(["o-0018".to_owned()]));
        assert_eq!(
            (plan.twice(), plan.by(Way::Http), plan.by(Way::Grpc)),
            (1, 10, 10)
        );
        let ids: BTreeSet<_> = plan.visits.iter().map(|visit| &visit.slip.id).collect();
        assert_eq!(ids.len(), 20);
    }

    #[test]
    fn the_stock_does_not_suffice() {
        let plan = Plan::new(200);
        let wanted: u64 = plan
            .visits
            .iter()
            .filter_map(|visit| visit.slip.quantity.as_u64())
            .sum();
        let stock: u64 = plan.stock.values().map(|pieces| u64::from(*pieces)).sum();
        assert!(0 < stock && stock < wanted, "{stock} of {wanted}");
        assert_eq!(plan.poison.len(), 5);
    }
}
