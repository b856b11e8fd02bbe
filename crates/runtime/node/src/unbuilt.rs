//! Settings whose rooms are not built. What protects an app is refused, because a runtime that ignores it would serve
//! what it was told to keep; everything else is one warning.

use outrigger_resource_manifest::{Configuration, configuration::AccessControl};

/// A setting that must not be ignored, and is not built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting} of the configuration is not built into this version of Outrigger: {why}")]
pub struct Unbuilt {
    /// The setting's path.
    pub setting: &'static str,
    /// What ignoring it would do, and what to do instead.
    pub why: &'static str,
}

/// Refuses what must not be ignored and warns of the rest.
pub(crate) fn check(configuration: &Configuration) -> Result<(), Unbuilt> {
    if restricts(&configuration.access_control) {
        let why = "without it every caller would be let in; take it out, or keep callers away by the network";
        return Err(Unbuilt {
            setting: "spec.accessControl",
            why,
        });
    }
    if !configuration.api.allowed.is_empty() || !configuration.api.denied.is_empty() {
        let why = "without it every API would be served; take it out, or use an API token";
        return Err(Unbuilt {
            setting: "spec.api",
            why,
        });
    }
    warn(configuration);
    Ok(())
}

/// Whether a policy would keep anyone out.
fn restricts(access: &AccessControl) -> bool {
    let denies = |action: &str| !action.is_empty() && !action.eq_ignore_ascii_case("allow");
    denies(&access.default_action)
        || access
            .policies
            .as_ref()
            .is_some_and(|policies| !policies.is_empty())
}

fn warn(configuration: &Configuration) {
    let settings = [
        (
            "spec.mtls.enabled",
            configuration.mtls.enabled == Some(true),
            "mTLS",
        ),
        (
            "spec.httpPipeline",
            !configuration.http_pipeline.is_empty(),
            "HTTP middleware",
        ),
        (
            "spec.appHttpPipeline",
            !configuration.app_http_pipeline.is_empty(),
            "HTTP middleware",
        ),
        (
            "spec.wasm.strictSandbox",
            configuration.wasm_strict_sandbox,
            "Wasm",
        ),
    ];
    for (setting, is_set, block) in settings {
        if is_set {
            tracing::warn!("{setting} has no effect: {block} is not built into this version of Outrigger");
        }
    }
}

#[cfg(test)]
mod tests {
    use outrigger_resource_manifest::configuration::{ApiRule, AppPolicy};

    use super::*;

    #[test]
    fn what_protects_an_app_is_refused() {
        assert_eq!(check(&Configuration::default()), Ok(()));
        let mut deny = Configuration::default();
        deny.access_control.default_action = "deny".to_owned();
        assert_eq!(check(&deny).unwrap_err().setting, "spec.accessControl");
        let mut policies = Configuration::default();
        policies.access_control.policies = Some(vec![AppPolicy::default()]);
        assert_eq!(check(&policies).unwrap_err().setting, "spec.accessControl");
        let mut api = Configuration::default();
        api.api.denied = vec![ApiRule {
            name: "state".to_owned(),
            version: "v1".to_owned(),
            protocol: None,
        }];
        assert!(
            check(&api)
                .unwrap_err()
                .to_string()
                .starts_with("spec.api of the configuration is not built")
        );
    }
}
