//! Who plays: the services of the shop, and how each of them runs.

use super::services::Service;

/// Name of the way in for customers.
pub(crate) const DOOR: &str = "door";
/// Name of the service that is killed in the middle.
pub(crate) const SHIPPING: &str = "shipping";

/// How a member of the shop runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A sidecar without an app.
    SidecarAlone,
    /// A service of the framework, with a sidecar beside it.
    BesideSidecar(Service),
    /// A server that knows nothing of sidecars, with one beside it.
    Unaware(Service),
    /// A service of the framework with the runtime in its own process.
    Embedded(Service),
}

/// A member of the shop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member {
    /// Its app id.
    pub(crate) name: &'static str,
    /// What it is for, for the audience.
    pub(crate) part: &'static str,
    /// How it runs.
    pub(crate) form: Form,
}

/// Everybody, in the order of appearance.
pub(crate) const CAST: [Member; 6] = [
    Member {
        name: DOOR,
        part: "where customers come in, over HTTP and gRPC",
        form: Form::SidecarAlone,
    },
    Member {
        name: "orders",
        part: "takes orders, files and publishes them",
        form: Form::BesideSidecar(Service::Orders),
    },
    Member {
        name: "stock",
        part: "keeps the shelves, with ETags",
        form: Form::BesideSidecar(Service::Stock),
    },
    Member {
        name: SHIPPING,
        part: "sends off what is ordered",
        form: Form::Embedded(Service::Shipping),
    },
    Member {
        name: "courier",
        part: "prints labels",
        form: Form::Unaware(Service::Courier),
    },
    Member {
        name: "ledger",
        part: "writes down what became of each order",
        form: Form::BesideSidecar(Service::Ledger),
    },
];

impl Form {
    /// In words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::SidecarAlone => "a sidecar alone",
            Self::BesideSidecar(_) => "framework, beside a sidecar",
            Self::Unaware(_) => "plain HTTP server, beside a sidecar",
            Self::Embedded(_) => "framework, runtime embedded",
        }
    }

    /// The program of its own, where there is one.
    pub(crate) fn service(self) -> Option<Service> {
        match self {
            Self::SidecarAlone => None,
            Self::BesideSidecar(service) | Self::Unaware(service) | Self::Embedded(service) => Some(service),
        }
    }

    /// Whether there is a sidecar.
    pub(crate) fn has_sidecar(self) -> bool {
        !matches!(self, Self::Embedded(_))
    }
}
