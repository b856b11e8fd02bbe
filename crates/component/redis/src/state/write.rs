//! Writing and removing one key.

use std::{borrow::Cow, time::Duration};

use outrigger_block_state::{
    Concurrency, Consistency, DeleteRequest, ETag, Error, Metadata, Options, SetRequest, Ttl,
};
use redis::{Cmd, Value};

use super::{RedisStore, json};
use crate::{fault::Fault, link::Link, script::Script, value};

/// Stands for *no version is asked for* in the scripts.
pub(super) const ANY: &str = "0";
/// How long a strong write waits for its replicas; Dapr's number.
const REPLICAS_TIMEOUT: Duration = Duration::from_secs(1);

/// Writes a key. It may be repeated after a lost answer only when that cannot be taken for somebody else's write.
pub(super) async fn set(store: &RedisStore, request: &SetRequest) -> Result<(), Error> {
    const ATTEMPTED: &str = "write a key to Redis";
    let json = store.wants_json(&request.metadata);
    let expected = expected(request)?;
    let ttl = ttl(store, &request.metadata)?;
    let first = request.options.concurrency == Concurrency::FirstWrite;
    let value = if json {
        Cow::Owned(json::document(&request.value))
    } else {
        Cow::Borrowed(&request.value.bytes()[..])
    };
    let script = if json {
        &store.scripts.set_json
    } else {
        &store.scripts.set
    };
    let answer = run(
        store,
        script,
        request.options,
        !first && expected == ANY,
        &request.key,
        request.key.len() + value.len(),
        |command| {
            command
                .arg(1)
                .arg(&request.key)
                .arg(&*expected)
                .arg(&*value)
                .arg(if first { "0" } else { "1" })
                .arg(&*ttl);
        },
    )
    .await;
    accepted(answer, ATTEMPTED)
}

/// Removes a key.
pub(super) async fn delete(store: &RedisStore, request: &DeleteRequest) -> Result<(), Error> {
    const ATTEMPTED: &str = "remove a key from Redis";
    let json = store.wants_json(&request.metadata);
    let script = if json {
        &store.scripts.delete_json
    } else {
        &store.scripts.delete
    };
    let expected = request.etag.as_ref().map_or(ANY, ETag::as_str);
    let answer = run(
        store,
        script,
        request.options,
        expected == ANY,
        &request.key,
        request.key.len(),
        |command| {
            command.arg(1).arg(&request.key).arg(expected);
        },
    )
    .await;
    accepted(answer, ATTEMPTED)
}

/// The version that a write asks for. It is compared as a number's text, so `03` asks for `3`.
pub(super) fn expected(request: &SetRequest) -> Result<Cow<'static, str>, Error> {
    match &request.etag {
        Some(etag) if request.options.concurrency != Concurrency::LastWrite => {
            let version: i64 = etag.as_str().parse().map_err(|_| Error::ETagInvalid)?;
            Ok(Cow::Owned(version.to_string()))
        }
        _ => Ok(Cow::Borrowed(ANY)),
    }
}

/// The time to live as the scripts read it: nothing, `-1` to lift one, or seconds.
pub(super) fn ttl(store: &RedisStore, metadata: &Metadata) -> Result<Cow<'static, str>, Error> {
    let ttl = match Ttl::from_metadata(metadata)? {
        Ttl::Unset => store.ttl,
        given => given,
    };
    Ok(match ttl {
        Ttl::Unset => Cow::Borrowed(""),
        Ttl::Forever => Cow::Borrowed("-1"),
        Ttl::After(time) => Cow::Owned(time.as_secs().to_string()),
    })
}

async fn run(
    store: &RedisStore,
    script: &Script,
    options: Options,
    repeat: bool,
    key: &str,
    size: usize,
    arguments: impl Fn(&mut Cmd),
) -> Result<Value, Fault> {
    let strong = store
        .strong
        .as_ref()
        .filter(|_| options.consistency == Consistency::Strong);
    let link = strong.unwrap_or(&store.link);
    let answer = script.run(link, link.writing(repeat), size, arguments).await?;
    if strong.is_some() && !matches!(answer, Value::Nil) {
        wait_for_replicas(link, store.replicas, key).await?;
    }
    Ok(answer)
}

/// Waits until the replicas have what was written on this connection. As in Dapr, a replica that is late is no error:
/// the write stands on the master.
pub(super) async fn wait_for_replicas(link: &Link, replicas: u64, key: &str) -> Result<(), Fault> {
    let mut command = redis::cmd("WAIT");
    command.arg(replicas).arg(REPLICAS_TIMEOUT.as_millis() as u64);
    let mut call = link.writing(true);
    call.limit = call.limit.map(|limit| limit + REPLICAS_TIMEOUT);
    let answer = link.send_to_owner(key, &command, call).await?;
    let reached = value::number(&answer)?;
    if u64::try_from(reached).unwrap_or(0) < replicas {
        tracing::warn!(
            reached,
            replicas,
            "a strong write did not reach all replicas in time"
        );
    }
    Ok(())
}

/// `nil` is how the scripts refuse.
fn accepted(answer: Result<Value, Fault>, attempted: &'static str) -> Result<(), Error> {
    match answer {
        Ok(Value::Nil) => Err(Error::ETagMismatch),
        Ok(_) => Ok(()),
        Err(fault) => Err(fault.into_state(attempted)),
    }
}
