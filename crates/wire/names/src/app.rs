//! What apps built with the framework read and serve.

/// Ours: folders of resources that an embedded app reads, with colons between them.
pub const OUTRIGGER_RESOURCES_PATH: &str = "OUTRIGGER_RESOURCES_PATH";

/// Ours: files of configuration that an embedded app reads, merged in their order, with colons between them.
pub const OUTRIGGER_CONFIG: &str = "OUTRIGGER_CONFIG";

/// Ours: begins the paths on which an app of the framework takes events from its sidecar.
pub const EVENTS: &str = "/outrigger/events";
/// Where an HTTP app tells its health, by default.
pub const HEALTHZ: &str = "/healthz";

/// Metadata of a subscription: its messages are no CloudEvents.
pub const RAW_PAYLOAD: &str = "rawPayload";
