//! The end of a store.

use outrigger_block_kit::ensure;

use super::{Outcome, Subject};
use crate::{Error, Metadata};

/// Every call after the close is told so; a second close is no error.
pub async fn a_closed_store_says_so(subject: &Subject) -> Outcome {
    let store = &subject.store;
    subject.set("closing", "x").await?;
    store.close().await;
    let answers = [
        ("get", subject.get("closing").await.err()),
        ("set", subject.set("closing", "y").await.err()),
        (
            "delete",
            store.delete(subject.delete_request("closing", None)).await.err(),
        ),
        ("ping", store.ping().await.err()),
    ];
    for (call, error) in answers {
        ensure!(matches!(error, Some(Error::Closed)), "{call}: found {error:?}");
    }
    if let Some(view) = store.transactional() {
        let operations = vec![crate::Operation::Set(subject.set_request("closing", "z"))];
        let error = view.transact(operations, Metadata::new()).await.err();
        ensure!(matches!(error, Some(Error::Closed)), "transact: found {error:?}");
    }
    store.close().await;
    Ok(())
}
