//! The CloudEvents envelope that the runtime puts around a payload (dapr-runtime.md §3.3, components.md §0.7).
