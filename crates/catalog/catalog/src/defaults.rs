//! The components that an app has when it names none: both keep their data in the user's folder, and neither needs a
//! server.

use std::path::Path;

/// A component that is there by default, as far as this build can open it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultComponent {
    /// The component's name.
    pub name: &'static str,
    /// Its type.
    pub type_: &'static str,
    /// Its metadata.
    pub metadata: Vec<(&'static str, String)>,
}

/// The default components, with their data in the user's folder `own`: a state store named `statestore` and a broker
/// named `pubsub`, the same as `outrigger init` writes into files.
pub fn defaults(own: &Path) -> Vec<DefaultComponent> {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    [
        cfg!(feature = "sqlite").then(|| DefaultComponent {
            name: "statestore",
            type_: "state.sqlite",
            metadata: vec![
                ("connectionString", text(&own.join("state.sqlite"))),
                ("actorStateStore", "true".to_owned()),
            ],
        }),
        cfg!(feature = "broker").then(|| DefaultComponent {
            name: "pubsub",
            type_: "pubsub.outrigger",
            metadata: vec![("path", text(&own.join("broker").join("pubsub")))],
        }),
    ]
    .into_iter()
    .flatten()
    .collect()
}
