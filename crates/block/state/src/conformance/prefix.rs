//! Removal of the direct children of a prefix.

use outrigger_block_kit::{ensure, ensure_eq};

use super::{Outcome, Subject};
use crate::Error;

/// Keys right under the prefix go, deeper and other ones stay; a missing separator is added; the count is told.
pub async fn only_direct_children_go(subject: &Subject) -> Outcome {
    let Some(view) = subject.store.delete_with_prefix() else {
        return Ok(());
    };
    let names = [
        "prefix||key1",
        "prefix||key2",
        "prefix||prefix2||key3",
        "other-prefix||key1",
        "prefix",
    ];
    for name in names {
        subject.set(name, "x").await?;
    }
    let removed = view.delete_with_prefix(&subject.key("prefix||")).await?;
    ensure_eq!(removed, 2, "keys removed");
    present(subject, &names, &[false, false, true, true, true]).await?;
    let removed = view.delete_with_prefix(&subject.key("other-prefix")).await?;
    ensure_eq!(removed, 1, "keys removed without the separator given");
    present(subject, &names, &[false, false, true, false, true]).await?;
    ensure_eq!(
        view.delete_with_prefix(&subject.key("other-prefix")).await?,
        0,
        "keys removed where none are left"
    );
    Ok(())
}

async fn present(subject: &Subject, names: &[&str], expected: &[bool]) -> Outcome {
    for (name, expected) in names.iter().zip(expected) {
        ensure_eq!(
            subject.get(name).await?.is_some(),
            *expected,
            "presence of {name:?}"
        );
    }
    Ok(())
}

/// An empty prefix, or the separator alone, would mean everything: both are refused.
pub async fn a_prefix_must_say_something(subject: &Subject) -> Outcome {
    let Some(view) = subject.store.delete_with_prefix() else {
        return Ok(());
    };
    for prefix in ["", "||"] {
        let result = view.delete_with_prefix(prefix).await;
        let refused = matches!(&result, Err(error @ Error::Invalid(_)) if error.to_string().contains("prefix is required"));
        ensure!(refused, "prefix {prefix:?}: found {result:?}");
    }
    Ok(())
}
