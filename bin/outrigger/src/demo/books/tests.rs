//! Books that balance, and every way of tampering with them.

use super::*;

/// Three orders: shipped, rejected, and one that makes no sense.
fn books() -> Books {
    let entry = |fate| BTreeMap::from([(fate, 1)]);
    let shelf = Shelf {
        stocked: 5,
        left: 3,
        reserved: BTreeMap::from([("a".to_owned(), 2)]),
        refused: BTreeSet::from(["b".to_owned()]),
    };
    let on_file = |pieces| ("canoe".to_owned(), pieces);
    Books {
        receipts: ["a", "b", "c"].map(str::to_owned).into(),
        poison: ["c".to_owned()].into(),
        on_file: BTreeMap::from([
            ("a".to_owned(), on_file(Some(2))),
            ("b".to_owned(), on_file(Some(9))),
            ("c".to_owned(), on_file(None)),
        ]),
        ledger: BTreeMap::from([
            ("a".to_owned(), entry(Fate::Shipped)),
            ("b".to_owned(), entry(Fate::Rejected)),
            ("c".to_owned(), entry(Fate::DeadLettered)),
        ]),
        shelves: BTreeMap::from([("canoe".to_owned(), shelf)]),
        delivered: BTreeMap::from([("canoe".to_owned(), 5)]),
        labels: BTreeMap::from([("a".to_owned(), "CR-1".to_owned())]),
    }
}

/// What is found after somebody had a hand in the books.
fn tampered(hand: impl FnOnce(&mut Books)) -> Vec<Discrepancy> {
    let mut books = books();
    hand(&mut books);
    let audit = books.audit();
    assert_eq!(audit.exit_code(), 1, "{audit:?}");
    assert!(!audit.balances());
    audit.discrepancies
}

#[test]
fn honest_books_balance() {
    let audit = books().audit();
    assert_eq!(audit.discrepancies, []);
    assert_eq!(audit.exit_code(), 0);
    let expected = Totals {
        accepted: 3,
        shipped: 1,
        rejected: 1,
        dead: 1,
        repeated: 0,
        stocked: 5,
        sold: 2,
        left: 3,
    };
    assert_eq!(audit.totals, expected);
}

#[test]
fn an_event_that_came_again_is_counted_and_changes_nothing() {
    let mut books = books();
    books
        .ledger
        .insert("a".to_owned(), BTreeMap::from([(Fate::Shipped, 3)]));
    let audit = books.audit();
    assert!(audit.balances(), "{audit:?}");
    assert_eq!((audit.totals.shipped, audit.totals.repeated), (1, 2));
}

#[test]
fn a_lost_order_is_found() {
    let found = tampered(|books| drop(books.ledger.remove("b")));
    assert_eq!(found[0], Discrepancy::Lost("b".to_owned()));
    assert!(matches!(found[1], Discrepancy::Sum(totals) if totals.accepted == 3 && totals.rejected == 0));
    let found = tampered(|books| drop(books.ledger.insert("b".to_owned(), BTreeMap::new())));
    assert_eq!(found[0], Discrepancy::Lost("b".to_owned()));
}

#[test]
fn an_order_that_is_not_on_file_is_found() {
    let found = tampered(|books| drop(books.on_file.remove("b")));
    assert_eq!(found, [Discrepancy::NotOnFile("b".to_owned())]);
}

#[test]
fn an_order_with_two_fates_is_found() {
    let found = tampered(|books| {
        books.ledger.get_mut("a").unwrap().insert(Fate::Rejected, 1);
    });
    assert_eq!(
        found[0],
        Discrepancy::Twice("a".to_owned(), vec![Fate::Shipped, Fate::Rejected])
    );
}

#[test]
fn an_order_that_nobody_placed_is_found_wherever_it_stands() {
    let stranger = || "x".to_owned();
    let expected = Discrepancy::FromNowhere(stranger());
    let found = tampered(|books| {
        let entry = BTreeMap::from([(Fate::Shipped, 1)]);
        books.ledger.insert(stranger(), entry);
    });
    assert!(found.contains(&expected), "{found:?}");
    let found = tampered(|books| drop(books.labels.insert(stranger(), "CR-2".to_owned())));
    assert_eq!(found, std::slice::from_ref(&expected));
    let found = tampered(|books| {
        let shelf = books.shelves.get_mut("canoe").unwrap();
        shelf.reserved.insert(stranger(), 1);
        shelf.left -= 1;
    });
    assert_eq!(found, [expected]);
}

#[test]
fn a_wrong_fate_is_found() {
    let found = tampered(|books| {
        books
            .ledger
            .insert("b".to_owned(), BTreeMap::from([(Fate::DeadLettered, 1)]));
    });
    assert_eq!(
        found,
        [Discrepancy::WrongFate("b".to_owned(), Fate::DeadLettered)]
    );
    let found = tampered(|books| {
        books
            .ledger
            .insert("c".to_owned(), BTreeMap::from([(Fate::Rejected, 1)]));
    });
    assert_eq!(found, [Discrepancy::WrongFate("c".to_owned(), Fate::Rejected)]);
}

#[test]
fn pieces_that_are_missing_or_too_many_are_found() {
    let found = tampered(|books| books.shelves.get_mut("canoe").unwrap().left = 2);
    let expected = Discrepancy::Shelf {
        item: "canoe".to_owned(),
        delivered: 5,
        sold: 2,
        left: 2,
    };
    assert_eq!(found, [expected]);
    let found = tampered(|books| {
        let shelf = books.shelves.get_mut("canoe").unwrap();
        shelf.reserved.insert("a".to_owned(), 1);
        shelf.left = 4;
    });
    assert_eq!(
        found,
        [Discrepancy::WrongPieces("a".to_owned(), Some(2), Some(1))]
    );
    let found = tampered(|books| drop(books.shelves.remove("canoe")));
    assert!(
        found.contains(&Discrepancy::NoShelf("canoe".to_owned())),
        "{found:?}"
    );
}

#[test]
fn pieces_of_a_rejected_order_are_found() {
    let found = tampered(|books| {
        let shelf = books.shelves.get_mut("canoe").unwrap();
        shelf.reserved.insert("b".to_owned(), 3);
        shelf.left = 0;
    });
    assert_eq!(found, [Discrepancy::WrongPieces("b".to_owned(), None, Some(3))]);
}

#[test]
fn parcels_and_labels_go_together() {
    let found = tampered(|books| drop(books.labels.remove("a")));
    assert_eq!(found, [Discrepancy::WrongLabel("a".to_owned())]);
    let found = tampered(|books| drop(books.labels.insert("b".to_owned(), "CR-1".to_owned())));
    assert_eq!(
        found,
        [
            Discrepancy::WrongLabel("b".to_owned()),
            Discrepancy::SameLabel("CR-1".to_owned())
        ]
    );
}

#[test]
fn what_is_found_reads_as_a_sentence() {
    let text = Discrepancy::Lost("a".to_owned()).to_string();
    assert_eq!(text, "order a was accepted, and nothing became of it");
    let text = Discrepancy::WrongPieces("a".to_owned(), None, Some(3)).to_string();
    assert_eq!(text, "order a: 3 pieces are set aside, and it should be none");
}
