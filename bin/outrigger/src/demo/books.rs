//! The check: whether every order is accounted for, once, and whether the pieces add up. Pure: it sees only what the
//! services said in the end, and believes none of them.

mod discrepancy;

use std::collections::{BTreeMap, BTreeSet};

use super::services::{
    ledger::{Entries, Fate},
    stock::Shelf,
};
pub(crate) use discrepancy::Discrepancy;

/// What everybody wrote down.
#[derive(Debug, Clone, Default)]
pub(crate) struct Books {
    /// Orders that customers hold a receipt for.
    pub(crate) receipts: BTreeSet<String>,
    /// Those of them that no one can make sense of.
    pub(crate) poison: BTreeSet<String>,
    /// What was ordered, by the orders that are on file: the item, and the pieces where they are a number.
    pub(crate) on_file: BTreeMap<String, (String, Option<u32>)>,
    /// What the ledger says.
    pub(crate) ledger: Entries,
    /// What the stock says, by item.
    pub(crate) shelves: BTreeMap<String, Shelf>,
    /// Pieces that were put on the shelves.
    pub(crate) delivered: BTreeMap<String, u32>,
    /// What the courier says: labels by order.
    pub(crate) labels: BTreeMap<String, String>,
}

/// What the books come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Totals {
    /// Orders with a receipt.
    pub(crate) accepted: usize,
    /// Orders that left the house.
    pub(crate) shipped: usize,
    /// Orders that the stock did not suffice for.
    pub(crate) rejected: usize,
    /// Orders in the dead-letter topic.
    pub(crate) dead: usize,
    /// Events that came once more.
    pub(crate) repeated: u64,
    /// Pieces that were put on the shelves.
    pub(crate) stocked: u64,
    /// Pieces that were sold.
    pub(crate) sold: u64,
    /// Pieces that are left.
    pub(crate) left: u64,
}

/// The result of the check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Audit {
    /// The sums.
    pub(crate) totals: Totals,
    /// What does not add up.
    pub(crate) discrepancies: Vec<Discrepancy>,
}

impl Audit {
    /// Whether everything adds up.
    pub(crate) fn balances(&self) -> bool {
        self.discrepancies.is_empty()
    }

    /// The exit code of a program that ends with this: 0 where everything adds up.
    pub(crate) fn exit_code(&self) -> u8 {
        u8::from(!self.balances())
    }
}

impl Books {
    /// Checks everything against everything.
    pub(crate) fn audit(&self) -> Audit {
        let mut found = Vec::new();
        self.check_orders(&mut found);
        self.check_strangers(&mut found);
        self.check_shelves(&mut found);
        self.check_labels(&mut found);
        let totals = self.totals();
        if totals.accepted != totals.shipped + totals.rejected + totals.dead {
            found.push(Discrepancy::Sum(totals));
        }
        Audit {
            totals,
            discrepancies: found,
        }
    }

    /// The fate of an order, where it has exactly one.
    fn fate(&self, order: &str) -> Option<Fate> {
        let entry = self.ledger.get(order)?;
        let mut fates = entry.keys().copied();
        fates.next().filter(|_| fates.next().is_none())
    }

    /// Every receipt: on file, one fate, the right one, and the pieces that go with it.
    fn check_orders(&self, found: &mut Vec<Discrepancy>) {
        for order in &self.receipts {
            if !self.on_file.contains_key(order) {
                found.push(Discrepancy::NotOnFile(order.clone()));
            }
            match self.ledger.get(order).map(BTreeMap::len) {
                None | Some(0) => found.push(Discrepancy::Lost(order.clone())),
                Some(1) => self.check_fate(order, found),
                Some(_) => {
                    let fates = self
                        .ledger
                        .get(order)
                        .into_iter()
                        .flatten()
                        .map(|(fate, _)| *fate);
                    found.push(Discrepancy::Twice(order.clone(), fates.collect()));
                }
            }
        }
    }

    fn check_fate(&self, order: &str, found: &mut Vec<Discrepancy>) {
        let Some(fate) = self.fate(order) else { return };
        if self.poison.contains(order) != (fate == Fate::DeadLettered) {
            found.push(Discrepancy::WrongFate(order.to_owned(), fate));
        }
        let (item, ordered) = self.on_file.get(order).cloned().unwrap_or_default();
        let expected = ordered.filter(|_| fate == Fate::Shipped);
        let taken = self
            .shelves
            .get(&item)
            .and_then(|shelf| shelf.reserved.get(order).copied());
        if taken != expected {
            found.push(Discrepancy::WrongPieces(order.to_owned(), expected, taken));
        }
        if self.labels.contains_key(order) != (fate == Fate::Shipped) {
            found.push(Discrepancy::WrongLabel(order.to_owned()));
        }
    }

    /// What nobody placed must not have left a trace: not in the ledger, on a shelf, or on a parcel.
    fn check_strangers(&self, found: &mut Vec<Discrepancy>) {
        let reserved = self.shelves.values().flat_map(|shelf| shelf.reserved.keys());
        let everywhere = self.ledger.keys().chain(reserved).chain(self.labels.keys());
        let strangers: BTreeSet<&String> = everywhere
            .filter(|order| !self.receipts.contains(*order))
            .collect();
        found.extend(
            strangers
                .into_iter()
                .map(|order| Discrepancy::FromNowhere(order.clone())),
        );
    }

    fn check_shelves(&self, found: &mut Vec<Discrepancy>) {
        for (item, delivered) in &self.delivered {
            let Some(shelf) = self.shelves.get(item) else {
                found.push(Discrepancy::NoShelf(item.clone()));
                continue;
            };
            let sold = pieces(shelf);
            if shelf.stocked != *delivered || u64::from(*delivered) != sold + u64::from(shelf.left) {
                found.push(Discrepancy::Shelf {
                    item: item.clone(),
                    delivered: *delivered,
                    sold,
                    left: shelf.left,
                });
            }
        }
    }

    fn check_labels(&self, found: &mut Vec<Discrepancy>) {
        let mut seen = BTreeSet::new();
        let twice = self.labels.values().filter(|label| !seen.insert(label.as_str()));
        found.extend(twice.map(|label| Discrepancy::SameLabel(label.clone())));
    }

    fn totals(&self) -> Totals {
        let with = |fate| {
            self.ledger
                .keys()
                .filter(|order| self.fate(order) == Some(fate))
                .count()
        };
        let repeats = self.ledger.values().flat_map(BTreeMap::values);
        Totals {
            accepted: self.receipts.len(),
            shipped: with(Fate::Shipped),
            rejected: with(Fate::Rejected),
            dead: with(Fate::DeadLettered),
            repeated: repeats.map(|times| u64::from(times.saturating_sub(1))).sum(),
            stocked: self.delivered.values().copied().map(u64::from).sum(),
            sold: self.shelves.values().map(pieces).sum(),
            left: self.shelves.values().map(|shelf| u64::from(shelf.left)).sum(),
        }
    }
}

fn pieces(shelf: &Shelf) -> u64 {
    shelf.reserved.values().copied().map(u64::from).sum()
}

#[cfg(test)]
mod tests;
