//! Templates in metadata values: `{uuid}`, `{podName}`, `{namespace}`, `{appID}`.

use super::{ResolveContext, ResolveError};

/// A fresh random UUID for each place.
const UUID: &str = "{uuid}";
/// The pod's name.
const POD_NAME: &str = "{podName}";
/// The namespace with the app's id: `<namespace>.<appID>`.
const NAMESPACE: &str = "{namespace}";
/// The app's id.
const APP_ID: &str = "{appID}";

/// Fills templates in.
pub(super) struct Templates<'a> {
    context: &'a ResolveContext<'a>,
    namespace: String,
}

impl<'a> Templates<'a> {
    pub(super) fn new(context: &'a ResolveContext<'a>) -> Self {
        Self {
            context,
            namespace: format!("{}.{}", context.namespace, context.app_id),
        }
    }

    /// Fills in one value; true if it used the namespace.
    pub(super) fn fill(&self, property: &str, value: &mut String) -> Result<bool, ResolveError> {
        if !value.contains('{') {
            return Ok(false);
        }
        let uses_namespace = value.contains(NAMESPACE);
        let mut parts = value.split(UUID);
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            text.push_str(&(self.context.new_uuid)());
            text.push_str(part);
        }
        if text.contains(POD_NAME) {
            if self.context.pod_name.is_empty() {
                return Err(ResolveError::NoPodName {
                    property: property.to_owned(),
                });
            }
            text = text.replace(POD_NAME, self.context.pod_name);
        }
        *value = text
            .replace(NAMESPACE, &self.namespace)
            .replace(APP_ID, self.context.app_id);
        Ok(uses_namespace)
    }
}
