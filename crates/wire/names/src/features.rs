//! Names of features and capabilities that the metadata API shows.

/// Versions are kept and checked.
pub const ETAG: &str = "ETAG";
/// Several operations commit as one.
pub const TRANSACTIONAL: &str = "TRANSACTIONAL";
/// Values can be told to end.
pub const TTL: &str = "TTL";
/// Keys can be listed by pattern.
pub const KEYS_LIKE: &str = "KEYS_LIKE";
/// Keys under a prefix can be removed at once.
pub const DELETE_WITH_PREFIX: &str = "DELETE_WITH_PREFIX";
/// Fit to be an actor store.
pub const ACTOR: &str = "ACTOR";
/// Messages can be told to end.
pub const MESSAGE_TTL: &str = "MESSAGE_TTL";
/// A subscription's topic may be a pattern.
pub const SUBSCRIBE_WILDCARDS: &str = "SUBSCRIBE_WILDCARDS";
/// Many messages go in one round trip.
pub const BULK_PUBLISH: &str = "BULK_PUBLISH";
/// A secret may have several keys.
pub const MULTIPLE_KEY_VALUES_PER_SECRET: &str = "MULTIPLE_KEY_VALUES_PER_SECRET";

/// Resources are reloaded when they change.
pub const HOT_RELOAD: &str = "HotReload";
