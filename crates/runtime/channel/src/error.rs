//! Why an app could not be reached.

/// Why a call to the app failed. An answer of the app, whatever its status, is no error here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection could not be made, or broke.
    #[error("error invoking app")]
    Transport(#[from] outrigger_transport::Error),
    /// The app answered a gRPC call with an error that is not the caller's business.
    #[error("app returned {}: {}", .0.code(), .0.message())]
    Status(Box<tonic::Status>),
    /// The app answered what cannot be understood.
    #[error("cannot understand the app's answer to {call}: {reason}")]
    Answer {
        /// Which call.
        call: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// An event is not what it says it is, and no message can be made of it.
    #[error("cannot make a message of an event: {reason}")]
    Event {
        /// What is wrong with it.
        reason: String,
    },
    /// The app is known to be unwell, and internal calls do not go out.
    #[error("app is not in a healthy state")]
    Unhealthy,
}

impl From<tonic::Status> for Error {
    fn from(status: tonic::Status) -> Self {
        Self::Status(Box::new(status))
    }
}
