//! Listing keys.

use std::collections::BTreeSet;

use outrigger_block_state::{Error, KeysPage};
use redis::Value;

use super::like::Like;
use crate::{fault::Fault, link::Link, value};

/// Keys that one step of a scan looks at; Dapr's number: few round trips, no long pause of the server.
const STEP: u32 = 1000;
/// What every failure here was about.
const ATTEMPTED: &str = "list keys in Redis";

/// A page of the keys that match, in the order of their bytes. The token is the last key of the page before, so keys
/// that come or go between two pages shift nothing. Every page scans anew, as the server keeps no order.
pub(super) async fn page(
    link: &Link,
    pattern: &str,
    page_size: Option<u32>,
    token: Option<&str>,
) -> Result<KeysPage, Error> {
    if pattern.is_empty() {
        return Err(Error::Invalid("pattern cannot be empty".to_owned()));
    }
    let like = Like::new(pattern);
    let token = token.filter(|token| !token.is_empty());
    let found = scan(link, &like, token)
        .await
        .map_err(|fault| fault.into_state(ATTEMPTED))?;
    let size = match page_size {
        None | Some(0) => usize::MAX,
        Some(size) => size as usize,
    };
    let more = found.len() > size;
    let keys: Vec<String> = found.into_iter().take(size).collect();
    Ok(KeysPage {
        next: keys.last().filter(|_| more).cloned(),
        keys,
    })
}

/// Every matching key after `token`. A scan may tell a key twice, and keys that are no text are not ours.
async fn scan(link: &Link, like: &Like, token: Option<&str>) -> Result<BTreeSet<String>, Fault> {
    let mut found = BTreeSet::new();
    let glob = like.glob();
    for (node, mut answer) in link.send_to_masters(&step("0", &glob)).await? {
        loop {
            let (cursor, keys) = split(answer)?;
            found.extend(
                keys.into_iter()
                    .filter_map(|key| value::text(key).ok())
                    .filter(|key| token.is_none_or(|token| key.as_str() > token))
                    .filter(|key| !like.is_coarse() || like.matches(key)),
            );
            if cursor == "0" {
                break;
            }
            answer = link.send_to(&node, &step(&cursor, &glob)).await?;
        }
    }
    Ok(found)
}

fn step(cursor: &str, glob: &str) -> redis::Cmd {
    let mut command = redis::cmd("SCAN");
    command.arg(cursor).arg("MATCH").arg(glob).arg("COUNT").arg(STEP);
    command
}

fn split(answer: Value) -> Result<(String, Vec<Value>), Fault> {
    let mut parts = value::list(answer)?.into_iter();
    match (parts.next(), parts.next()) {
        (Some(cursor), Some(keys)) => Ok((value::text(cursor)?, value::list(keys)?)),
        _ => Err(Fault::Strange("a scan without a cursor".to_owned())),
    }
}
