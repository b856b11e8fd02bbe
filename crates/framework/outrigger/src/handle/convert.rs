//! Between the types of the client and those of the runtime.

use outrigger_block_state as block;
use outrigger_client::{
    Concurrency, Consistency, DeleteItem, Item, Operation, ReadOptions, Refusal, SaveItem, WriteOptions,
};
use outrigger_runtime_api::{self as api, TransactionOp};

use crate::Error;

/// An error of the runtime, in the one type that apps see.
pub(super) fn refused(error: api::Error) -> Error {
    Error::Refused(Box::new(Refusal {
        status: error.http,
        code: error.code.name.into(),
        reason: error.reason().map(Into::into),
        message: error.message,
    }))
}

pub(super) fn get(key: &str, options: ReadOptions) -> block::GetRequest {
    block::GetRequest {
        key: key.to_owned(),
        consistency: consistency(options.consistency),
        metadata: options.metadata,
    }
}

pub(super) fn set(item: SaveItem) -> block::SetRequest {
    let (etag, options, metadata) = write(item.options);
    block::SetRequest {
        key: item.key,
        value: block::Value::Json(item.value),
        etag,
        options,
        metadata,
    }
}

pub(super) fn delete(item: DeleteItem) -> block::DeleteRequest {
    let (etag, options, metadata) = write(item.options);
    block::DeleteRequest {
        key: item.key,
        etag,
        options,
        metadata,
    }
}

pub(super) fn operation(operation: Operation) -> TransactionOp {
    match operation {
        Operation::Upsert(item) => TransactionOp::Upsert(set(item)),
        Operation::Delete(item) => TransactionOp::Delete(delete(item)),
    }
}

pub(super) fn item(item: block::Item) -> Item {
    Item {
        data: item.data,
        etag: item.etag.map(|etag| etag.as_str().to_owned()),
        metadata: item.metadata,
    }
}

fn write(options: WriteOptions) -> (Option<block::ETag>, block::Options, block::Metadata) {
    let how = block::Options {
        concurrency: concurrency(options.concurrency),
        consistency: consistency(options.consistency),
    };
    (options.etag.and_then(block::ETag::new), how, options.metadata)
}

fn concurrency(word: Concurrency) -> block::Concurrency {
    match word {
        Concurrency::Unspecified => block::Concurrency::Unspecified,
        Concurrency::FirstWrite => block::Concurrency::FirstWrite,
        Concurrency::LastWrite => block::Concurrency::LastWrite,
    }
}

fn consistency(word: Consistency) -> block::Consistency {
    match word {
        Consistency::Unspecified => block::Consistency::Unspecified,
        Consistency::Eventual => block::Consistency::Eventual,
        Consistency::Strong => block::Consistency::Strong,
    }
}
