//! Who may do what: `spec.api`, `spec.secrets`, `spec.components`, `spec.accessControl`.

/// `spec.api`: which of the public APIs are served. Denied is looked at first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiAccess {
    /// If there are any for a protocol, only these are served on it.
    pub allowed: Vec<ApiRule>,
    /// These are refused.
    pub denied: Vec<ApiRule>,
}

/// One API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiRule {
    /// The API's name, such as `state` or `state/{storeName}/query`.
    pub name: String,
    /// Its version, such as `v1` or `v1.0`.
    pub version: String,
    /// The protocol; `None` when the file names neither of the two, and then the rule has no effect.
    pub protocol: Option<ApiProtocol>,
}

impl ApiRule {
    /// The text that routes are compared with: `v1/state`.
    pub fn key(&self) -> String {
        format!("{}/{}", self.version, self.name)
    }
}

/// A protocol of the public API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiProtocol {
    /// HTTP
    Http,
    /// gRPC
    Grpc,
}

/// `spec.secrets.scopes[]`: what may be read from one secret store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecretScope {
    /// The store.
    pub store_name: String,
    /// Whether a secret that no list names is refused.
    pub deny_by_default: bool,
    /// If not empty, only these may be read.
    pub allowed_secrets: Vec<String>,
    /// These may not be read.
    pub denied_secrets: Vec<String>,
}

impl SecretScope {
    /// Whether the secret `name` may be read.
    pub fn allows(&self, name: &str) -> bool {
        let has = |list: &[String]| list.iter().any(|entry| entry == name);
        if self.allowed_secrets.is_empty() {
            !has(&self.denied_secrets) && !self.deny_by_default
        } else {
            has(&self.allowed_secrets)
        }
    }
}

/// Whether the list `denied` refuses this component.
///
/// An entry is `type` or `type/version`, without regard to case, and the versions ``, `v0` and `v1` are one, so that
/// a list cannot be walked around by another spelling. Where there is a list, a component that leaves its version
/// out is refused whatever its type: daprd does so.
pub(super) fn component_denied(denied: &[String], type_: &str, version: &str) -> bool {
    let mut entries = denied.iter().filter(|entry| !entry.is_empty()).peekable();
    if entries.peek().is_some() && (type_.is_empty() || version.is_empty()) {
        return true;
    }
    entries.any(|entry| match entry.split_once('/') {
        None => entry.eq_ignore_ascii_case(type_),
        Some((entry_type, entry_version)) => {
            entry_type.eq_ignore_ascii_case(type_)
                && (entry_version.eq_ignore_ascii_case(version)
                    || (is_initial(entry_version) && is_initial(version)))
        }
    })
}

/// Whether a version is one of the three names of a component's first version.
fn is_initial(version: &str) -> bool {
    version.is_empty() || version.eq_ignore_ascii_case("v0") || version.eq_ignore_ascii_case("v1")
}

/// `spec.accessControl`: which callers may invoke what. The texts are kept as written; the policy engine judges them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessControl {
    /// `allow` or `deny`. Empty only if a file says so outright.
    pub default_action: String,
    /// The trust domain of this runtime.
    pub trust_domain: String,
    /// Policies by caller; `None` when no file has the list, which differs from an empty one.
    pub policies: Option<Vec<AppPolicy>>,
}

impl Default for AccessControl {
    /// Everyone may call, in the trust domain `public`.
    fn default() -> Self {
        Self {
            default_action: "allow".to_owned(),
            trust_domain: "public".to_owned(),
            policies: None,
        }
    }
}

/// `spec.accessControl.policies[]`: what one caller may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppPolicy {
    /// The caller's app id.
    pub app_id: String,
    /// `allow` or `deny` for operations that no entry names; may be empty.
    pub default_action: String,
    /// The caller's trust domain.
    pub trust_domain: String,
    /// The caller's namespace.
    pub namespace: String,
    /// Operations by path.
    pub operations: Vec<AppOperation>,
}

/// `spec.accessControl.policies[].operations[]`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppOperation {
    /// The path, with `*` and `**` as wildcards.
    pub name: String,
    /// The HTTP verbs it is for.
    pub http_verbs: Vec<String>,
    /// `allow` or `deny`.
    pub action: String,
}
