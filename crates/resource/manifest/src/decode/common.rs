//! What several kinds share: object metadata, the secret store, the value form.

use super::field::{Field, Object};
use crate::{
    NameValue, SecretKeyRef, ValueSource,
    problem::Issue,
    yaml::{NodeKind, Scalar},
};

/// The parts of `metadata` that we use.
#[derive(Default)]
pub(super) struct Meta {
    pub(super) name: String,
    pub(super) namespace: Option<String>,
}

/// Every field of Kubernetes' object metadata: what a cluster wrote into a manifest is no mistake.
const META_FIELDS: [&str; 16] = [
    "name",
    "namespace",
    "labels",
    "annotations",
    "generateName",
    "selfLink",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "ownerReferences",
    "finalizers",
    "managedFields",
    "clusterName",
];

/// Reads `metadata`. A name must be usable as one segment of a path.
pub(super) fn meta(document: &Object<'_>) -> Meta {
    let object = document.get("metadata").object(&META_FIELDS);
    let field = object.get("name");
    let name = field.text_or_empty();
    if name == "." || name == ".." || name.contains(['/', '%']) {
        field.fail("a name that is not \".\" or \"..\" and has no \"/\" or \"%\" in it");
    } else if name.is_empty() {
        field.missing("the resource's name");
    }
    Meta {
        name,
        namespace: object.get("namespace").some_text(),
    }
}

/// Reads `auth.secretStore`.
pub(super) fn secret_store(document: &Object<'_>) -> Option<String> {
    let auth = document.get("auth").object(&["secretStore"]);
    auth.get("secretStore").some_text()
}

/// Reads a list of named values.
pub(super) fn name_values(list: &Field<'_>) -> Vec<NameValue> {
    list.list().iter().map(name_value).collect()
}

/// Reads one named value.
pub(super) fn name_value(field: &Field<'_>) -> NameValue {
    let object = field.object(&["name", "value", "secretKeyRef", "envRef"]);
    let (value, secret) = (object.get("value"), secret_key_ref(&object));
    let env = object.get("envRef").some_text();
    let given = usize::from(value.is_present()) + usize::from(secret.is_some()) + usize::from(env.is_some());
    if given > 1 {
        field.warn(Issue::Ignored {
            found: "more than one of value, secretKeyRef and envRef".to_owned(),
            expected: "one of them".into(),
        });
    }
    // Dapr's order: the environment only if there is no value, and then not the secret either.
    let source = match (env, secret) {
        (Some(name), _) if !value.is_present() => ValueSource::EnvRef(name),
        (_, Some(reference)) => ValueSource::SecretKeyRef(reference),
        _ => ValueSource::Plain(plain(&value)),
    };
    NameValue {
        name: object.get("name").text_or_empty(),
        value: source,
    }
}

/// Reads `{value}` or `{secretKeyRef}`.
pub(super) fn document_value(field: &Field<'_>) -> Option<ValueSource> {
    let object = field.object(&["value", "secretKeyRef"]);
    let value = object.get("value");
    match secret_key_ref(&object) {
        Some(reference) => Some(ValueSource::SecretKeyRef(reference)),
        None if value.is_present() => Some(ValueSource::Plain(plain(&value))),
        None => None,
    }
}

fn secret_key_ref(object: &Object<'_>) -> Option<SecretKeyRef> {
    let reference = object.get("secretKeyRef");
    if !reference.is_present() {
        return None;
    }
    let object = reference.object(&["name", "key"]);
    let Some(name) = object.get("name").some_text() else {
        object
            .get("name")
            .missing("the secret's name; the reference has no effect without it");
        return None;
    };
    let key = object.get("key").some_text().unwrap_or_else(|| name.clone());
    Some(SecretKeyRef { name, key })
}

/// A value of any form as text: a string is itself, everything else its JSON text.
fn plain(field: &Field<'_>) -> String {
    match field.node().map(|node| (&node.kind, node)) {
        None => String::new(),
        Some((
            NodeKind::Scalar {
                text,
                value: Scalar::Text,
            },
            _,
        )) => text.clone(),
        Some((_, node)) => node.to_json_text().unwrap_or_else(|| {
            field.fail("a finite number");
            String::new()
        }),
    }
}
