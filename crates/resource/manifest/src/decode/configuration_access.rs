//! Reads who may do what: `spec.api`, `spec.secrets`, `spec.accessControl`.

use std::collections::HashSet;

use super::field::Field;
use crate::configuration::{
    AccessControl, ApiAccess, ApiProtocol, ApiRule, AppOperation, AppPolicy, SecretScope,
};

/// What an action is, for messages.
const ACTION: &str = "allow or deny";

pub(super) fn api(field: &Field<'_>) -> ApiAccess {
    let object = field.object(&["allowed", "denied"]);
    let rules = |name| object.get(name).list().iter().map(api_rule).collect();
    ApiAccess {
        allowed: rules("allowed"),
        denied: rules("denied"),
    }
}

fn api_rule(field: &Field<'_>) -> ApiRule {
    let object = field.object(&["name", "version", "protocol"]);
    let protocol = object.get("protocol");
    ApiRule {
        name: object.get("name").text_or_empty(),
        version: object.get("version").text_or_empty(),
        protocol: match protocol.text_or_empty().to_ascii_lowercase().as_str() {
            "http" => Some(ApiProtocol::Http),
            "grpc" => Some(ApiProtocol::Grpc),
            _ => {
                protocol.ignore("http or grpc");
                None
            }
        },
    }
}

pub(super) fn secret_scopes(field: &Field<'_>) -> Vec<SecretScope> {
    let mut stores = HashSet::new();
    let mut scopes = Vec::new();
    for field in field.list() {
        let scope = secret_scope(&field);
        if !stores.insert(scope.store_name.clone()) {
            field.fail(format!(
                "each store once, but storeName {:?} is repeated in the secrets configuration",
                scope.store_name
            ));
        }
        scopes.push(scope);
    }
    scopes
}

fn secret_scope(field: &Field<'_>) -> SecretScope {
    let object = field.object(&["storeName", "defaultAccess", "allowedSecrets", "deniedSecrets"]);
    let access = object.get("defaultAccess");
    SecretScope {
        store_name: object.get("storeName").text_or_empty(),
        deny_by_default: match access.text_or_empty().to_ascii_lowercase().as_str() {
            "" | "allow" => false,
            "deny" => true,
            _ => {
                access.fail(ACTION);
                true
            }
        },
        allowed_secrets: object.get("allowedSecrets").string_list(),
        denied_secrets: object.get("deniedSecrets").string_list(),
    }
}

pub(super) fn access_control(field: &Field<'_>) -> AccessControl {
    let object = field.object(&["defaultAction", "trustDomain", "policies"]);
    let defaults = AccessControl::default();
    let policies = object.get("policies");
    AccessControl {
        default_action: action(&object.get("defaultAction")).unwrap_or(defaults.default_action),
        trust_domain: object.get("trustDomain").text().unwrap_or(defaults.trust_domain),
        policies: policies
            .is_present()
            .then(|| policies.list().iter().map(app_policy).collect()),
    }
}

fn app_policy(field: &Field<'_>) -> AppPolicy {
    let object = field.object(&["appId", "defaultAction", "trustDomain", "namespace", "operations"]);
    AppPolicy {
        app_id: object.get("appId").text_or_empty(),
        default_action: action(&object.get("defaultAction")).unwrap_or_default(),
        trust_domain: object.get("trustDomain").text_or_empty(),
        namespace: object.get("namespace").text_or_empty(),
        operations: object.get("operations").list().iter().map(operation).collect(),
    }
}

fn operation(field: &Field<'_>) -> AppOperation {
    let object = field.object(&["name", "httpVerb", "action"]);
    AppOperation {
        name: object.get("name").text_or_empty(),
        http_verbs: object.get("httpVerb").string_list(),
        action: action(&object.get("action")).unwrap_or_default(),
    }
}

/// An action as written. Any other word than the two denies, as the policy engine compares, so it is noted.
fn action(field: &Field<'_>) -> Option<String> {
    let text = field.text()?;
    if !["", "allow", "deny"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word))
    {
        field.ignore(ACTION);
    }
    Some(text)
}
