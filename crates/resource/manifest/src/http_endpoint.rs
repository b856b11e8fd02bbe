//! `HTTPEndpoint`: a service outside the mesh that applications call by a name.

use crate::{NameValue, Origin, ValueSource};

/// An external HTTP service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpEndpoint {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`, if the manifest gives one that is not empty.
    pub namespace: Option<String>,
    /// `spec.baseUrl`: calls go to paths under it.
    pub base_url: String,
    /// Headers added to every call.
    pub headers: Vec<NameValue>,
    /// How the service is trusted, and who we are to it.
    pub client_tls: Option<ClientTls>,
    /// `auth.secretStore`: the store that `secretKeyRef` entries are read from.
    pub secret_store: Option<String>,
    /// The apps that may use it; empty is every app.
    pub scopes: Vec<String>,
    /// Where it was written.
    pub origin: Origin,
}

/// TLS material of an endpoint; each document is PEM text, given here or kept in a secret store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientTls {
    /// Who may sign the service's certificate.
    pub root_ca: Option<ValueSource>,
    /// Our certificate.
    pub certificate: Option<ValueSource>,
    /// The key of our certificate.
    pub private_key: Option<ValueSource>,
    /// Whether the service may renegotiate.
    pub renegotiation: Renegotiation,
}

/// Whether a TLS server may renegotiate (only ever possible up to TLS 1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Renegotiation {
    /// Never.
    #[default]
    Never,
    /// Once in a connection.
    OnceAsClient,
    /// As often as it likes.
    FreelyAsClient,
}

impl HttpEndpoint {
    /// The name with the address, as logs and errors show it: `orders (https://example.com)`.
    pub fn log_name(&self) -> String {
        format!("{} ({})", self.name, self.base_url)
    }

    /// Whether `app_id` may use it.
    pub fn in_scope_of(&self, app_id: &str) -> bool {
        crate::resource::in_scope(&self.scopes, app_id)
    }
}
