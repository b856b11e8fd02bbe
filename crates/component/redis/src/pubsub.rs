//! `pubsub.redis`: the broker.
