//! Keys by pattern, in pages.

use std::collections::BTreeSet;

use outrigger_block_kit::{conformance::eventually, ensure, ensure_eq};

use super::{Failure, Outcome, Subject, TTL_LIMIT};
use crate::{Error, KeysLike, KeysPage};

/// Keys that one answer without pages must hold: more than any page size that a client library likes.
const MANY: usize = 1025;

/// No pattern is not the pattern of everything.
pub async fn an_empty_pattern_is_refused(subject: &Subject) -> Outcome {
    let Some(view) = subject.store.keys_like() else {
        return Ok(());
    };
    let result = view.keys_like("", None, None).await;
    let refused = matches!(&result, Err(error @ Error::Invalid(_)) if error.to_string().contains("pattern cannot be empty"));
    ensure!(refused, "found {result:?}");
    Ok(())
}

/// `%` is any text, `_` one character, everything else itself.
pub async fn patterns_match_as_like_does(subject: &Subject) -> Outcome {
    let Some(view) = subject.store.keys_like() else {
        return Ok(());
    };
    let list = Listing::new(subject, view, "match");
    list.write(&[
        "prefix||key1",
        "prefix||key2",
        "prefix||prefix2||key3",
        "other-prefix||key1",
        "no-prefix",
        "abc1",
        "abc2",
        "äbc",
        "ABC1",
        "a.c",
    ])
    .await?;
    for (pattern, expected) in [
        (
            "prefix||%",
            &["prefix||key1", "prefix||key2", "prefix||prefix2||key3"][..],
        ),
        ("%key1", &["prefix||key1", "other-prefix||key1"]),
        ("%||%||%", &["prefix||prefix2||key3"]),
        ("abc_", &["abc1", "abc2"]),
        ("_bc", &["äbc"]),
        ("a.c", &["a.c"]),
        ("abc1", &["abc1"]),
        ("abc", &[]),
        ("no%fix", &["no-prefix"]),
    ] {
        list.expect(pattern, expected).await?;
    }
    let everything = view.keys_like("%", None, None).await?;
    ensure!(
        everything.keys.contains(&list.full("abc1")) && everything.next.is_none(),
        "the pattern % does not list every key in one answer"
    );
    Ok(())
}

/// A backslash makes a wildcard an ordinary character.
pub async fn escapes_are_literal(subject: &Subject) -> Outcome {
    let Some(view) = subject.store.keys_like() else {
        return Ok(());
    };
    let list = Listing::new(subject, view, "escape");
    let all = [
        "%",
        "hello%%wor.kflow",
        "%%wor.kflow",
        "hello%%",
        "_",
        "hello_workflow",
        "_workflow",
        "hello_",
        "%hello_workflow%_yoyo",
    ];
    list.write(&all).await?;
    let hellos = ["hello%%wor.kflow", "hello%%", "hello_workflow", "hello_"];
    for (pattern, expected) in [
        ("%", &all[..]),
        ("hello%", &hellos),
        ("hello%%", &hellos),
        ("hello_", &["hello_"]),
        ("hello_workflo_", &["hello_workflow"]),
        (r"hello\_workflow", &["hello_workflow"]),
        (r"hello\_", &["hello_"]),
        (r"hello\%\%", &["hello%%"]),
        (r"hello%\%", &["hello%%"]),
        (r"hello\%\%%wor.kflow", &["hello%%wor.kflow"]),
        (r"\%hello\_workflow\%\_yoyo", &["%hello_workflow%_yoyo"]),
        (r"hello%worxkflow", &[]),
    ] {
        list.expect(pattern, expected).await?;
    }
    Ok(())
}

/// Pages of any size join to the whole without loss or repetition; the last has no successor.
pub async fn pages_lose_nothing(subject: &Subject) -> Outcome {
    let Some(view) = subject.store.keys_like() else {
        return Ok(());
    };
    let list = Listing::new(subject, view, "page");
    let names: Vec<String> = (0..12).map(|n| format!("k{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    list.write(&names).await?;
    let mut all = Vec::new();
    let mut next = None;
    for (size, expected, last) in [(6, 6, false), (5, 5, false), (100, 1, true)] {
        let page = list.page("%", Some(size), next.as_deref()).await?;
        ensure_eq!(page.keys.len(), expected, "keys in the page of {size}");
        ensure_eq!(page.next.is_none(), last, "end after the page of {size}");
        all.extend(page.keys);
        next = page.next;
    }
    list.same(&all, &names)?;
    let exact = list.page("%", Some(12), None).await?;
    ensure!(
        exact.next.is_none(),
        "a page that holds everything has a successor"
    );
    Ok(())
}

/// Removals and writes between pages neither fail the listing nor lose keys that were there all the time.
pub async fn pages_survive_changes(subject: &Subject) -> Outcome {
    let Some(view) = subject.store.keys_like() else {
        return Ok(());
    };
    let list = Listing::new(subject, view, "change");
    list.write(&["key1", "key2", "key3", "key4"]).await?;
    let first = list.page("%", Some(3), None).await?;
    ensure_eq!(first.keys.len(), 3, "keys in the first page");
    let next = first
        .next
        .ok_or_else(|| Failure::new("the first page has no successor"))?;
    list.remove(&["key1", "key3"]).await?;
    list.write(&["key5", "key0"]).await?;
    let second = list.page("%", None, Some(&next)).await?;
    ensure!(second.next.is_none(), "the rest has a successor");
    let seen: BTreeSet<_> = first.keys.into_iter().chain(second.keys).collect();
    for name in ["key2", "key4"] {
        ensure!(
            seen.contains(&list.full(name)),
            "{name:?} was there all the time and not listed"
        );
    }
    list.expect("%", &["key0", "key2", "key4", "key5"]).await
}

/// Without a page size, and with a very large one, a long list comes whole.
pub async fn a_long_list_needs_no_pages(subject: &Subject) -> Outcome {
    let Some(view) = subject.store.keys_like() else {
        return Ok(());
    };
    let list = Listing::new(subject, view, "long");
    let names: Vec<String> = (0..MANY).map(|n| n.to_string()).collect();
    let writes = names
        .iter()
        .map(|name| subject.set_request(&list.name(name), ""))
        .collect();
    for result in subject.store.bulk_set(writes).await {
        result?;
    }
    for size in [None, Some(100_000)] {
        let page = list.page("%", size, None).await?;
        ensure_eq!(page.keys.len(), MANY, "keys with page size {size:?}");
        ensure!(page.next.is_none(), "a successor with page size {size:?}");
    }
    Ok(())
}

/// Values that ended are not listed.
pub async fn what_ended_is_not_listed(subject: &Subject) -> Outcome {
    let Some(view) = subject.store.keys_like().filter(|_| subject.traits.ttl) else {
        return Ok(());
    };
    let list = Listing::new(subject, view, "ended");
    list.write(&["stays"]).await?;
    subject.set_ttl(&list.name("goes"), "x", "1").await?;
    eventually("only what lives is listed", TTL_LIMIT, async || {
        Ok(list.page("%", None, None).await?.keys == [list.full("stays")])
    })
    .await
}

/// The keys of one rule, under a name of their own.
struct Listing<'a> {
    subject: &'a Subject,
    view: &'a dyn KeysLike,
    place: &'a str,
}

impl<'a> Listing<'a> {
    fn new(subject: &'a Subject, view: &'a dyn KeysLike, place: &'a str) -> Self {
        Self { subject, view, place }
    }

    fn name(&self, name: &str) -> String {
        format!("{}/{name}", self.place)
    }

    fn full(&self, name: &str) -> String {
        self.subject.key(&self.name(name))
    }

    async fn write(&self, names: &[&str]) -> Outcome {
        for name in names {
            self.subject.set(&self.name(name), "x").await?;
        }
        Ok(())
    }

    async fn remove(&self, names: &[&str]) -> Outcome {
        for name in names {
            let removal = self.subject.delete_request(&self.name(name), None);
            self.subject.store.delete(removal).await?;
        }
        Ok(())
    }

    async fn page(&self, pattern: &str, size: Option<u32>, token: Option<&str>) -> Result<KeysPage, Failure> {
        Ok(self.view.keys_like(&self.full(pattern), size, token).await?)
    }

    async fn expect(&self, pattern: &str, expected: &[&str]) -> Outcome {
        let page = self.page(pattern, None, None).await?;
        ensure!(
            page.next.is_none(),
            "pattern {pattern:?} without a page size has a successor"
        );
        self.same(&page.keys, expected)
            .map_err(|failure| Failure::new(format!("pattern {pattern:?}: {failure:?}")))
    }

    /// The same keys in any order, each once.
    fn same(&self, found: &[String], expected: &[&str]) -> Outcome {
        let mut found = found.to_vec();
        found.sort_unstable();
        let mut expected: Vec<_> = expected.iter().map(|name| self.full(name)).collect();
        expected.sort_unstable();
        ensure_eq!(found, expected, "keys");
        Ok(())
    }
}
