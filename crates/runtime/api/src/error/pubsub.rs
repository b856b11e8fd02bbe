//! Errors of the publish operations.

use http::StatusCode;
use outrigger_wire_names::errors::{self, ErrorCode, reasons};
use tonic::Code;

use super::{Detail, Error, info};

/// What a publish error is about.
#[derive(Clone, Copy)]
pub(crate) struct About<'a> {
    pub(crate) pubsub: &'a str,
    pub(crate) topic: &'a str,
    pub(crate) app_id: &'a str,
}

impl About<'_> {
    fn error(
        &self,
        code: ErrorCode,
        (http, grpc): (StatusCode, Code),
        message: String,
        reason: &'static str,
        facts: Vec<(&'static str, String)>,
    ) -> Error {
        let resource = Detail::Resource {
            kind: "pubsub",
            name: self.pubsub.to_owned(),
            description: message.clone(),
        };
        Error::new(code, http, grpc, message).with([resource, info(reason, facts)])
    }

    fn app(&self) -> Vec<(&'static str, String)> {
        vec![("appID", self.app_id.to_owned())]
    }

    fn topic(&self, error: &str) -> Vec<(&'static str, String)> {
        vec![("topic", self.topic.to_owned()), ("error", error.to_owned())]
    }

    pub(crate) fn not_configured(&self) -> Error {
        let message = format!("pubsub {} is not configured", self.pubsub);
        let statuses = (StatusCode::BAD_REQUEST, Code::FailedPrecondition);
        Error::new(errors::PUBSUB_NOT_CONFIGURED, statuses.0, statuses.1, message)
            .with([info(reasons::PUBSUB_NOT_CONFIGURED, self.app())])
    }

    pub(crate) fn not_found(&self) -> Error {
        let message = format!("pubsub {} is not found", self.pubsub);
        Error::new(
            errors::PUBSUB_NOT_FOUND,
            StatusCode::NOT_FOUND,
            Code::InvalidArgument,
            message,
        )
        .with([info(reasons::PUBSUB_NOT_FOUND, self.app())])
    }

    pub(crate) fn name_empty(&self) -> Error {
        let statuses = (StatusCode::NOT_FOUND, Code::InvalidArgument);
        self.error(
            errors::PUBSUB_EMPTY,
            statuses,
            "pubsub name is empty".into(),
            reasons::PUBSUB_NAME_EMPTY,
            self.app(),
        )
    }

    pub(crate) fn topic_empty(&self) -> Error {
        let message = format!("topic is empty in pubsub {}", self.pubsub);
        let statuses = (StatusCode::NOT_FOUND, Code::InvalidArgument);
        self.error(
            errors::TOPIC_NAME_EMPTY,
            statuses,
            message,
            reasons::PUBSUB_TOPIC_NAME_EMPTY,
            self.app(),
        )
    }

    pub(crate) fn forbidden(&self) -> Error {
        let message = format!("topic {} is not allowed for app id {}", self.topic, self.app_id);
        let facts = self.topic(&message);
        let statuses = (StatusCode::FORBIDDEN, Code::PermissionDenied);
        self.error(
            errors::PUBSUB_FORBIDDEN,
            statuses,
            message,
            reasons::PUBSUB_FORBIDDEN,
            facts,
        )
    }

    pub(crate) fn publish(&self, error: &str) -> Error {
        let message = format!(
            "error when publishing to topic {} in pubsub {}: {error}",
            self.topic, self.pubsub
        );
        let statuses = (StatusCode::INTERNAL_SERVER_ERROR, Code::Internal);
        let facts = self.topic(error);
        self.error(
            errors::PUBSUB_PUBLISH_MESSAGE,
            statuses,
            message,
            reasons::PUBSUB_PUBLISH_MESSAGE,
            facts,
        )
    }

    pub(crate) fn metadata(&self, error: &str) -> Error {
        let message = format!("failed deserializing metadata. Error: {error}");
        let statuses = (StatusCode::BAD_REQUEST, Code::InvalidArgument);
        let reason = reasons::PUBSUB_METADATA_DESERIALIZATION;
        self.error(
            errors::PUBSUB_REQUEST_METADATA,
            statuses,
            message,
            reason,
            self.app(),
        )
    }

    pub(crate) fn cloud_event(&self, error: &str) -> Error {
        let statuses = (StatusCode::INTERNAL_SERVER_ERROR, Code::InvalidArgument);
        let mut facts = self.app();
        facts.push(("error", error.to_owned()));
        let reason = reasons::PUBSUB_CLOUD_EVENT_CREATION;
        self.error(
            errors::PUBSUB_CLOUD_EVENTS_SER,
            statuses,
            "cannot create cloudevent".into(),
            reason,
            facts,
        )
    }

    pub(crate) fn marshal_envelope(&self, error: &str) -> Error {
        let message = format!(
            "error when marshalling cloud event envelope for topic {} pubsub {}: {error}",
            self.topic, self.pubsub
        );
        self.events(message, reasons::PUBSUB_MARSHAL_ENVELOPE, error)
    }

    pub(crate) fn marshal_events(&self, error: &str) -> Error {
        let message = format!(
            "error marshaling events to bytes for topic {} pubsub {}. error: {error}",
            self.topic, self.pubsub
        );
        self.events(message, reasons::PUBSUB_MARSHAL_EVENTS, error)
    }

    pub(crate) fn unmarshal_events(&self, error: &str) -> Error {
        let message = format!(
            "error when unmarshaling the request for topic {} pubsub {}: {error}",
            self.topic, self.pubsub
        );
        self.events(message, reasons::PUBSUB_UNMARSHAL_EVENTS, error)
    }

    fn events(&self, message: String, reason: &'static str, error: &str) -> Error {
        let statuses = (StatusCode::BAD_REQUEST, Code::InvalidArgument);
        let mut facts = self.app();
        facts.push(("error", error.to_owned()));
        self.error(errors::PUBSUB_EVENTS_SER, statuses, message, reason, facts)
    }
}
