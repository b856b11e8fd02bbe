//! Error codes (dapr-runtime.md §1.13). Each constant is the text on the wire.

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $category:literal;)*) => {
        $($(#[$doc])* pub const $name: ErrorCode = ErrorCode { name: $text, category: $category };)*
    };
}

/// An error code with the category that metrics count it under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ErrorCode {
    /// The text on the wire.
    pub name: &'static str,
    /// The category, as `error_code_total` labels it.
    pub category: &'static str,
}

codes! {
    /// Generic bad request.
    BAD_REQUEST = "ERR_BAD_REQUEST", "common";
    /// An API that this build does not have.
    API_UNIMPLEMENTED = "ERR_API_UNIMPLEMENTED", "common";
    /// The request's body could not be read.
    BODY_READ = "ERR_BODY_READ", "common";
    /// The request's body could not be understood.
    MALFORMED_REQUEST = "ERR_MALFORMED_REQUEST", "common";
    /// The answer could not be written.
    INTERNAL = "ERR_INTERNAL", "common";
    /// Service invocation failed.
    DIRECT_INVOKE = "ERR_DIRECT_INVOKE", "service-invocation";
    /// The runtime is not ready.
    HEALTH_NOT_READY = "ERR_HEALTH_NOT_READY", "health";
    /// The runtime is not ready for outbound calls.
    OUTBOUND_HEALTH_NOT_READY = "ERR_OUTBOUND_HEALTH_NOT_READY", "health";
    /// The caller asked for another app's sidecar.
    HEALTH_APPID_NOT_MATCH = "ERR_HEALTH_APPID_NOT_MATCH", "health";
    /// There is no secret store at all.
    SECRET_STORES_NOT_CONFIGURED = "ERR_SECRET_STORES_NOT_CONFIGURED", "secret";
    /// There is no secret store of that name.
    SECRET_STORE_NOT_FOUND = "ERR_SECRET_STORE_NOT_FOUND", "secret";
    /// The secret is out of the app's scope.
    PERMISSION_DENIED = "ERR_PERMISSION_DENIED", "secret";
    /// The secret store failed.
    SECRET_GET = "ERR_SECRET_GET", "secret";
    /// There is no state store at all.
    STATE_STORE_NOT_CONFIGURED = "ERR_STATE_STORE_NOT_CONFIGURED", "state";
    /// There is no state store of that name.
    STATE_STORE_NOT_FOUND = "ERR_STATE_STORE_NOT_FOUND", "state";
    /// The state store cannot do that.
    STATE_STORE_NOT_SUPPORTED = "ERR_STATE_STORE_NOT_SUPPORTED", "state";
    /// More operations than one transaction may have.
    STATE_STORE_TOO_MANY_TRANSACTIONS = "ERR_STATE_STORE_TOO_MANY_TRANSACTIONS", "state";
    /// An operation that no transaction has.
    NOT_SUPPORTED_STATE_OPERATION = "ERR_NOT_SUPPORTED_STATE_OPERATION", "state";
    /// A key cannot be used.
    STATE_MALFORMED_REQUEST = "ERR_MALFORMED_REQUEST", "state";
    /// Query failed.
    STATE_QUERY = "ERR_STATE_QUERY", "state";
    /// Read failed.
    STATE_GET = "ERR_STATE_GET", "state";
    /// Write failed.
    STATE_SAVE = "ERR_STATE_SAVE", "state";
    /// Removal failed.
    STATE_DELETE = "ERR_STATE_DELETE", "state";
    /// Bulk read failed.
    STATE_BULK_GET = "ERR_STATE_BULK_GET", "state";
    /// Bulk removal failed.
    STATE_BULK_DELETE = "ERR_STATE_BULK_DELETE", "state";
    /// Transaction failed.
    STATE_TRANSACTION = "ERR_STATE_TRANSACTION", "state";
    /// No broker was named.
    PUBSUB_EMPTY = "ERR_PUBSUB_EMPTY", "pubsub";
    /// There is no broker of that name.
    PUBSUB_NOT_FOUND = "ERR_PUBSUB_NOT_FOUND", "pubsub";
    /// There is no broker at all.
    PUBSUB_NOT_CONFIGURED = "ERR_PUBSUB_NOT_CONFIGURED", "pubsub";
    /// No topic was named.
    TOPIC_NAME_EMPTY = "ERR_TOPIC_NAME_EMPTY", "pubsub";
    /// The topic is out of the app's scope.
    PUBSUB_FORBIDDEN = "ERR_PUBSUB_FORBIDDEN", "pubsub";
    /// The broker failed.
    PUBSUB_PUBLISH_MESSAGE = "ERR_PUBSUB_PUBLISH_MESSAGE", "pubsub";
    /// The request's metadata could not be understood.
    PUBSUB_REQUEST_METADATA = "ERR_PUBSUB_REQUEST_METADATA", "pubsub";
    /// The envelope could not be made.
    PUBSUB_CLOUD_EVENTS_SER = "ERR_PUBSUB_CLOUD_EVENTS_SER", "pubsub";
    /// The announcement of a transaction could not be published.
    PUBLISH_OUTBOX = "ERR_PUBLISH_OUTBOX", "pubsub";
    /// The events of a bulk request could not be understood.
    PUBSUB_EVENTS_SER = "ERR_PUBSUB_EVENTS_SER", "pubsub";
    /// Anything else.
    OTHER = "ERROR", "common";
}

/// Reasons in rich errors, where they differ from the code.
pub mod reasons {
    /// There is no state store at all.
    pub const STATE_NOT_CONFIGURED: &str = "DAPR_STATE_NOT_CONFIGURED";
    /// There is no state store of that name.
    pub const STATE_NOT_FOUND: &str = "DAPR_STATE_NOT_FOUND";
    /// The separator stands in a key.
    pub const STATE_ILLEGAL_KEY: &str = "DAPR_STATE_ILLEGAL_KEY";
    /// The store has no transactions.
    pub const STATE_TRANSACTIONS_NOT_SUPPORTED: &str = "DAPR_STATE_TRANSACTIONS_NOT_SUPPORTED";
    /// More operations than one transaction may have.
    pub const STATE_TOO_MANY_TRANSACTIONS: &str = "DAPR_STATE_TOO_MANY_TRANSACTIONS";
    /// The store has no queries.
    pub const STATE_QUERYING_NOT_SUPPORTED: &str = "DAPR_STATE_QUERYING_NOT_SUPPORTED";
    /// No broker was named.
    pub const PUBSUB_NAME_EMPTY: &str = "DAPR_PUBSUB_NAME_EMPTY";
    /// There is no broker of that name.
    pub const PUBSUB_NOT_FOUND: &str = "DAPR_PUBSUB_NOT_FOUND";
    /// There is no broker at all.
    pub const PUBSUB_NOT_CONFIGURED: &str = "DAPR_PUBSUB_NOT_CONFIGURED";
    /// No topic was named.
    pub const PUBSUB_TOPIC_NAME_EMPTY: &str = "DAPR_PUBSUB_TOPIC_NAME_EMPTY";
    /// The topic is out of the app's scope.
    pub const PUBSUB_FORBIDDEN: &str = "DAPR_PUBSUB_FORBIDDEN";
    /// The broker failed.
    pub const PUBSUB_PUBLISH_MESSAGE: &str = "DAPR_PUBSUB_PUBLISH_MESSAGE";
    /// The request's metadata could not be understood.
    pub const PUBSUB_METADATA_DESERIALIZATION: &str = "DAPR_PUBSUB_METADATA_DESERIALIZATION";
    /// The envelope could not be made.
    pub const PUBSUB_CLOUD_EVENT_CREATION: &str = "DAPR_PUBSUB_CLOUD_EVENT_CREATION";
    /// The envelope of an event could not be written.
    pub const PUBSUB_MARSHAL_ENVELOPE: &str = "DAPR_PUBSUB_MARSHAL_ENVELOPE";
    /// The events could not be written.
    pub const PUBSUB_MARSHAL_EVENTS: &str = "DAPR_PUBSUB_MARSHAL_EVENTS";
    /// The announcement of a transaction could not be published.
    pub const PUBSUB_OUTBOX: &str = "DAPR_PUBSUB_OUTBOX";
    /// The events could not be read.
    pub const PUBSUB_UNMARSHAL_EVENTS: &str = "DAPR_PUBSUB_UNMARSHAL_EVENTS";
}

/// Domain of every `ErrorInfo`.
pub const DOMAIN: &str = "dapr.io";

/// Fact of an `ErrorInfo`: the HTTP status of an app.
pub const HTTP_CODE: &str = "http.code";
/// Fact of an `ErrorInfo`: the beginning of an app's answer.
pub const HTTP_MESSAGE: &str = "http.error_message";
