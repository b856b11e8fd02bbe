//! Several operations that commit as one.

use bytes::Bytes;
use futures_util::future::join_all;
use outrigger_block_kit::{conformance::eventually, ensure, ensure_eq};

use super::{Failure, Outcome, Subject, TTL_LIMIT};
use crate::{Error, Metadata, Operation, Transactional, Value};

/// Transactions that run at once.
const PARALLEL: usize = 12;

/// Operations apply in the order given: a key removed and written again is there, one written and removed is not.
pub async fn operations_apply_in_order(subject: &Subject) -> Outcome {
    let Some(view) = subject.store.transactional() else {
        return Ok(());
    };
    subject.set("tx-a", "old").await?;
    let operations = vec![
        delete(subject, "tx-a"),
        set(subject, "tx-b", "one"),
        delete(subject, "tx-b"),
        set(subject, "tx-c", "one"),
        set(subject, "tx-c", "two"),
        delete(subject, "tx-d"),
        set(subject, "tx-d", "there"),
        delete(subject, "tx-never-written"),
    ];
    view.transact(operations, Metadata::new()).await?;
    for (name, expected) in [
        ("tx-a", None),
        ("tx-b", None),
        ("tx-c", Some("two")),
        ("tx-d", Some("there")),
    ] {
        let found = subject.get(name).await?.map(|item| item.data);
        ensure_eq!(found, expected.map(Bytes::from), "{name:?} after the transaction");
    }
    Ok(())
}

/// No operation at all is no error.
pub async fn an_empty_transaction_is_nothing(subject: &Subject) -> Outcome {
    if let Some(view) = subject.store.transactional() {
        view.transact(Vec::new(), Metadata::new()).await?;
    }
    Ok(())
}

/// A wrong version or a bad time to live anywhere fails the whole; the typed error says which kind it was.
pub async fn a_failed_transaction_leaves_nothing(subject: &Subject) -> Outcome {
    let Some(view) = subject.store.transactional() else {
        return Ok(());
    };
    subject.set("tx-kept", "old").await?;
    if subject.traits.etag {
        let mut wrong = subject.set_request("tx-kept", "new");
        wrong.etag = subject.bad_etag();
        let result = fail_last(subject, view, Operation::Set(wrong)).await?;
        ensure!(
            matches!(result, Error::ETagMismatch),
            "wrong etag: found {result:?}"
        );
        let wrong = subject.delete_request("tx-kept", subject.bad_etag());
        let result = fail_last(subject, view, Operation::Delete(wrong)).await?;
        ensure!(
            matches!(result, Error::ETagMismatch),
            "removal with a wrong etag: found {result:?}"
        );
    }
    if subject.traits.ttl {
        let bad = Operation::Set(subject.ttl_request("tx-kept", "new", "foo"));
        let result = fail_last(subject, view, bad).await?;
        ensure!(matches!(result, Error::Ttl(_)), "bad ttl: found {result:?}");
    }
    ensure_eq!(
        subject.bytes("tx-kept").await?,
        Bytes::from("old"),
        "the guarded key"
    );
    Ok(())
}

/// Runs a write, a removal and then `last`, which must fail; answers with the error after a look at what is left.
async fn fail_last(subject: &Subject, view: &dyn Transactional, last: Operation) -> Result<Error, Failure> {
    subject.set("tx-present", "old").await?;
    subject
        .store
        .delete(subject.delete_request("tx-absent", None))
        .await?;
    let operations = vec![
        set(subject, "tx-absent", "x"),
        delete(subject, "tx-present"),
        last,
    ];
    let Err(error) = view.transact(operations, Metadata::new()).await else {
        return Err(Failure::new("the transaction was accepted"));
    };
    if subject.traits.rolls_back {
        ensure!(
            subject.get("tx-absent").await?.is_none(),
            "a write of a failed transaction is there"
        );
        ensure!(
            subject.get("tx-present").await?.is_some(),
            "a removal of a failed transaction happened"
        );
    }
    Ok(error)
}

/// Bytes of any kind and times to live are kept inside a transaction as outside.
pub async fn a_transaction_keeps_ttl_and_bytes(subject: &Subject) -> Outcome {
    let Some(view) = subject.store.transactional() else {
        return Ok(());
    };
    let opaque = Bytes::from_static(b"\x0a\x03\xff\xfe\x00");
    let mut write = subject.set_request("tx-bytes", "");
    write.value = Value::Bytes(opaque.clone());
    let mut operations = vec![Operation::Set(write)];
    if subject.traits.ttl {
        operations.push(Operation::Set(subject.ttl_request("tx-ttl", "goes", "1")));
    }
    view.transact(operations, Metadata::new()).await?;
    ensure_eq!(subject.bytes("tx-bytes").await?, opaque, "opaque bytes");
    if subject.traits.ttl {
        eventually("a value of one second is gone", TTL_LIMIT, async || {
            Ok(subject.get("tx-ttl").await?.is_none())
        })
        .await?;
    }
    Ok(())
}

/// Transactions that write the same keys at once leave all keys from one of them.
pub async fn transactions_do_not_interleave(subject: &Subject) -> Outcome {
    let Some(view) = subject.store.transactional() else {
        return Ok(());
    };
    let names: Vec<String> = (0..8).map(|n| format!("tx-together-{n}")).collect();
    let transactions = (0..PARALLEL).map(|writer| {
        // Half of them go the other way round, to find locks that are taken in the order of the keys.
        let mut operations: Vec<_> = names
            .iter()
            .map(|name| set(subject, name, &writer.to_string()))
            .collect();
        if writer % 2 == 1 {
            operations.reverse();
        }
        view.transact(operations, Metadata::new())
    });
    for result in join_all(transactions).await {
        result?;
    }
    let first = subject.bytes(&names[0]).await?;
    for name in &names {
        ensure_eq!(subject.bytes(name).await?, first, "{name:?}");
    }
    Ok(())
}

fn set(subject: &Subject, name: &str, value: &str) -> Operation {
    Operation::Set(subject.set_request(name, value))
}

fn delete(subject: &Subject, name: &str) -> Operation {
    Operation::Delete(subject.delete_request(name, None))
}
