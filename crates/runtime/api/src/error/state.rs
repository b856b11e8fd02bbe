//! Errors of the state operations.

use http::StatusCode;
use outrigger_base_std::chain;
use outrigger_block_state as block;
use outrigger_wire_names::errors::{self, ErrorCode, reasons};
use tonic::Code;

use super::{Detail, Error, info};

/// Where the stores and their features are listed.
const STORES_PAGE: &str = "https://docs.dapr.io/reference/components-reference/supported-state-stores/";

impl Error {
    /// There is no state store at all.
    pub(crate) fn state_not_configured(store: &str, app_id: &str) -> Self {
        let message = format!("state store {store} is not configured");
        let code = errors::STATE_STORE_NOT_CONFIGURED;
        Self::new(
            code,
            StatusCode::INTERNAL_SERVER_ERROR,
            Code::FailedPrecondition,
            message,
        )
        .with([info(
            reasons::STATE_NOT_CONFIGURED,
            [("appID", app_id.to_owned())],
        )])
    }

    /// There is no state store of that name.
    pub(crate) fn state_not_found(store: &str, app_id: &str) -> Self {
        let message = format!("state store {store} is not found");
        let code = errors::STATE_STORE_NOT_FOUND;
        Self::new(code, StatusCode::BAD_REQUEST, Code::InvalidArgument, message)
            .with([info(reasons::STATE_NOT_FOUND, [("appID", app_id.to_owned())])])
    }

    /// A write names no key.
    pub(crate) fn state_key_empty() -> Self {
        let message = "state key cannot be empty";
        Self::new(
            errors::STATE_SAVE,
            StatusCode::BAD_REQUEST,
            Code::InvalidArgument,
            message,
        )
    }

    /// The key has the separator in it.
    pub(crate) fn state_key(store: &str, key: &str, error: &block::KeyError) -> Self {
        let message = error.to_string();
        let field = Detail::Field {
            field: key.to_owned(),
            description: message.clone(),
        };
        Self::new(
            errors::STATE_MALFORMED_REQUEST,
            StatusCode::BAD_REQUEST,
            Code::InvalidArgument,
            message,
        )
        .with([field, store_resource(store), info(reasons::STATE_ILLEGAL_KEY, [])])
    }

    /// The store has no transactions.
    pub(crate) fn state_no_transactions(store: &str) -> Self {
        let message = format!("state store {store} doesn't support transactions");
        let help = "Check the list of state stores and the features they support";
        let code = errors::STATE_STORE_NOT_SUPPORTED;
        Self::new(
            code,
            StatusCode::INTERNAL_SERVER_ERROR,
            Code::Unimplemented,
            message,
        )
        .with([
            Detail::Help {
                url: STORES_PAGE,
                description: help,
            },
            store_resource(store),
            info(reasons::STATE_TRANSACTIONS_NOT_SUPPORTED, []),
        ])
    }

    /// The store has no queries.
    pub(crate) fn state_no_query(store: &str) -> Self {
        let code = errors::STATE_STORE_NOT_SUPPORTED;
        let message = "state store does not support querying";
        Self::new(code, StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, message).with([
            store_resource(store),
            info(reasons::STATE_QUERYING_NOT_SUPPORTED, []),
        ])
    }

    /// More operations than one transaction may have.
    pub(crate) fn state_too_many(store: &str, count: usize, max: usize) -> Self {
        let message = format!(
            "the transaction contains {count} operations, which is more than what the state store supports: {max}"
        );
        let facts = [
            ("currentOpsTransaction", count.to_string()),
            ("maxOpsPerTransaction", max.to_string()),
        ];
        let code = errors::STATE_STORE_TOO_MANY_TRANSACTIONS;
        Self::new(code, StatusCode::BAD_REQUEST, Code::InvalidArgument, message).with([
            store_resource(store),
            info(reasons::STATE_TOO_MANY_TRANSACTIONS, facts),
        ])
    }

    /// A read failed.
    pub(crate) fn state_get(store: &str, key: &str, error: &block::Error) -> Self {
        let message = format!("fail to get {key} from state store {store}: {}", chain(error));
        Self::new(
            errors::STATE_GET,
            StatusCode::INTERNAL_SERVER_ERROR,
            Code::Internal,
            message,
        )
    }

    /// A bulk read failed.
    pub(crate) fn state_bulk_get(error: &block::Error) -> Self {
        Self::new(
            errors::STATE_BULK_GET,
            StatusCode::INTERNAL_SERVER_ERROR,
            Code::Internal,
            chain(error),
        )
    }

    /// A write failed.
    pub(crate) fn state_save(store: &str, error: &block::Error) -> Self {
        let message = format!("failed saving state in state store {store}: {}", chain(error));
        versioned(errors::STATE_SAVE, error, message)
    }

    /// A removal failed.
    pub(crate) fn state_delete(key: &str, error: &block::Error) -> Self {
        let message = format!("failed deleting state with key {key}: {}", chain(error));
        versioned(errors::STATE_DELETE, error, message)
    }

    /// A bulk removal failed.
    pub(crate) fn state_bulk_delete(store: &str, error: &block::Error) -> Self {
        let message = format!("failed deleting state in state store {store}: {}", chain(error));
        versioned(errors::STATE_BULK_DELETE, error, message)
    }

    /// A transaction failed; the cause makes no difference on the wire (dapr-runtime.md §11, trap 21).
    pub(crate) fn state_transaction(error: &block::Error) -> Self {
        let message = format!("error while executing state transaction: {}", chain(error));
        Self::new(
            errors::STATE_TRANSACTION,
            StatusCode::INTERNAL_SERVER_ERROR,
            Code::Internal,
            message,
        )
    }

    /// An operation that no transaction has.
    pub fn state_operation(operation: &str) -> Self {
        let code = errors::NOT_SUPPORTED_STATE_OPERATION;
        let message = format!("operation type {operation} not supported");
        Self::new(code, StatusCode::BAD_REQUEST, Code::Unimplemented, message)
    }
}

fn store_resource(store: &str) -> Detail {
    Detail::Resource {
        kind: "state",
        name: store.to_owned(),
        description: String::new(),
    }
}

/// ETag errors have statuses of their own on single writes and removals.
fn versioned(code: ErrorCode, error: &block::Error, message: String) -> Error {
    let (http, grpc) = match error {
        block::Error::ETagMismatch => (StatusCode::CONFLICT, Code::Aborted),
        block::Error::ETagInvalid => (StatusCode::BAD_REQUEST, Code::InvalidArgument),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, Code::Internal),
    };
    Error::new(code, http, grpc, message)
}
