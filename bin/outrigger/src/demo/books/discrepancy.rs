//! What can be wrong with books, in words.

use std::fmt;

use super::Totals;
use crate::demo::services::ledger::Fate;

/// Something that does not add up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Discrepancy {
    /// A customer holds a receipt, and the order is not on file.
    NotOnFile(String),
    /// An order was accepted and nothing became of it.
    Lost(String),
    /// An order has an entry, and nobody placed it.
    FromNowhere(String),
    /// An order has several fates.
    Twice(String, Vec<Fate>),
    /// An order has another fate than it must have.
    WrongFate(String, Fate),
    /// The pieces set aside for an order are not those it was for.
    WrongPieces(String, Option<u32>, Option<u32>),
    /// An order was shipped without a label, or has one without being shipped.
    WrongLabel(String),
    /// Two parcels have one label.
    SameLabel(String),
    /// A shelf's pieces do not add up to what was put on it.
    Shelf {
        /// What is on it.
        item: String,
        /// What was put on it.
        delivered: u32,
        /// What is set aside.
        sold: u64,
        /// What is free.
        left: u32,
    },
    /// There is no shelf for what was delivered.
    NoShelf(String),
    /// The sums do not add up.
    Sum(Totals),
}

impl fmt::Display for Discrepancy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let many =
            |pieces: &Option<u32>| pieces.map_or_else(|| "none".to_owned(), |pieces| pieces.to_string());
        match self {
            Self::NotOnFile(order) => write!(
                f,
                "order {order}: its customer holds a receipt, and it is not on file"
            ),
            Self::Lost(order) => write!(f, "order {order} was accepted, and nothing became of it"),
            Self::FromNowhere(order) => write!(f, "order {order} is in the books, and nobody placed it"),
            Self::Twice(order, fates) => write!(f, "order {order} has several fates: {fates:?}"),
            Self::WrongFate(order, Fate::DeadLettered) => {
                write!(
                    f,
                    "order {order} could have been shipped, and is in the dead-letter topic"
                )
            }
            Self::WrongFate(order, fate) => {
                write!(f, "order {order} makes no sense, and its fate is {fate:?}")
            }
            Self::WrongPieces(order, expected, taken) => {
                let (expected, taken) = (many(expected), many(taken));
                write!(
                    f,
                    "order {order}: {taken} pieces are set aside, and it should be {expected}"
                )
            }
            Self::WrongLabel(order) => {
                write!(f, "order {order}: its parcel and its label do not go together")
            }
            Self::SameLabel(label) => write!(f, "the label {label} is on two parcels"),
            Self::Shelf {
                item,
                delivered,
                sold,
                left,
            } => {
                write!(
                    f,
                    "shelf {item}: {delivered} pieces were put on it; {sold} sold and {left} left"
                )
            }
            Self::NoShelf(item) => write!(f, "there is no shelf of {item}, which was delivered"),
            Self::Sum(totals) => write!(
                f,
                "{} orders accepted, but {} shipped, {} rejected and {} dead-lettered",
                totals.accepted, totals.shipped, totals.rejected, totals.dead
            ),
        }
    }
}
