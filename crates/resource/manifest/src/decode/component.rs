//! Reads `Component`.

use std::time::Duration;

use outrigger_base_std::go;

use super::{
    common,
    field::{DURATION, Field},
};
use crate::{Component, ComponentType};

pub(super) fn component(root: &Field<'_>) -> Component {
    let document = root.object(&[
        "apiVersion",
        "kind",
        "metadata",
        "spec",
        "auth",
        "scopes",
        "status",
    ]);
    let meta = common::meta(&document);
    let spec = document
        .get("spec")
        .object(&["type", "version", "ignoreErrors", "metadata", "initTimeout"]);
    let type_ = spec.get("type").text_or_empty();
    if type_.is_empty() {
        spec.get("type")
            .missing("the component's type, such as \"state.redis\"");
    }
    Component {
        name: meta.name,
        namespace: meta.namespace,
        type_: ComponentType::parse(&type_),
        version: spec.get("version").text_or_empty(),
        metadata: common::name_values(&spec.get("metadata")),
        ignore_errors: spec.get("ignoreErrors").flag(),
        init_timeout: init_timeout(&spec.get("initTimeout")),
        secret_store: common::secret_store(&document),
        scopes: document.get("scopes").string_list(),
        origin: root.origin(),
    }
}

/// A text that is no duration leaves the default in force, as Dapr has it, but not in silence.
fn init_timeout(field: &Field<'_>) -> Option<Duration> {
    let text = field.some_text()?;
    let timeout = go::parse_duration(&text).ok();
    if timeout.is_none() {
        field.ignore(DURATION);
    }
    timeout
}
