//! Every message says where, what was found and what was expected.

use std::path::Path;

use outrigger_resource_manifest::{LoadReport, SkipReason, SourceFile, parse};
use proptest::prelude::*;

fn read(text: &str) -> LoadReport {
    let file = SourceFile {
        path: Path::new("dir/a.yaml").into(),
        content: Ok(text.to_owned()),
    };
    parse(vec![file], "app", None)
}

/// The message of the one document of `text`, which must not be usable.
fn refusal(text: &str) -> String {
    let report = read(text);
    assert!(report.resources.is_empty(), "{:?}", report.resources);
    assert_eq!(report.skipped.len(), 1, "{:?}", report.skipped);
    match &report.skipped[0].reason {
        SkipReason::Invalid { fields, .. } => fields.to_string(),
        other => other.to_string(),
    }
}

fn warnings(text: &str) -> Vec<String> {
    let report = read(text);
    assert_eq!(report.resources.len(), 1, "{:?}", report.skipped);
    report.warnings.iter().map(ToString::to_string).collect()
}

fn component(spec: &str) -> String {
    format!(
        "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: a\nspec:\n  type: state.x\n{spec}\n"
    )
}

fn resiliency(spec: &str) -> String {
    format!("apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata:\n  name: a\nspec:\n{spec}\n")
}

#[test]
fn components_that_cannot_be_used() {
    let cases = [
        (
            component("  ignoreErrors: maybe"),
            "dir/a.yaml, document 1, line 7, column 17: spec.ignoreErrors: found the text \"maybe\", expected true or false",
        ),
        (
            component("  ignoreErrors: \"true\""),
            "dir/a.yaml, document 1, line 7, column 17: spec.ignoreErrors: found the text \"true\", expected true or false",
        ),
        (
            component("  metadata: {a: b}"),
            "dir/a.yaml, document 1, line 7, column 13: spec.metadata: found a mapping, expected a list",
        ),
        (
            component("  metadata:\n  - name: [x]"),
            "dir/a.yaml, document 1, line 8, column 11: spec.metadata[0].name: found a list, expected a text",
        ),
        (
            component("  metadata:\n  - name: n\n    value: .inf"),
            "dir/a.yaml, document 1, line 9, column 12: spec.metadata[0].value: found .inf, expected a finite number",
        ),
        (
            component("  metadata:\n  - plain"),
            "dir/a.yaml, document 1, line 8, column 5: spec.metadata[0]: found the text \"plain\", expected a mapping",
        ),
        (
            component("scopes: app"),
            "dir/a.yaml, document 1, line 7, column 9: scopes: found the text \"app\", expected a list",
        ),
        (
            "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: a/b}\nspec: {type: x.y}\n"
                .to_owned(),
            "dir/a.yaml, document 1, line 3, column 18: metadata.name: found the text \"a/b\", expected a name that is not \".\" or \"..\" and has no \"/\" or \"%\" in it",
        ),
        (
            "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: a}\nspec: 5\n".to_owned(),
            "dir/a.yaml, document 1, line 4, column 7: spec: found 5, expected a mapping",
        ),
    ];
    for (text, message) in cases {
        assert_eq!(refusal(&text), message);
    }
}

#[test]
fn everything_that_is_wrong_is_found_at_once() {
    let text = component("  ignoreErrors: 1\n  initTimeout: {}\nscopes: {}");
    let expected =
        "dir/a.yaml, document 1, line 7, column 17: spec.ignoreErrors: found 1, expected true or false
dir/a.yaml, document 1, line 8, column 16: spec.initTimeout: found a mapping, expected a text
dir/a.yaml, document 1, line 9, column 9: scopes: found a mapping, expected a list";
    assert_eq!(refusal(&text), expected);
}

#[test]
fn what_cannot_be_used_is_named() {
    let report = read(&resiliency(
        "  policies: {retries: {r: {matching: {httpStatusCodes: 11}}}}",
    ));
    assert!(matches!(&report.skipped[0].reason, SkipReason::Invalid { name, .. } if name == "a"));
    let message = report.skipped[0].reason.to_string();
    assert!(
        message.starts_with("Resiliency a is not usable:\ndir/a.yaml, document 1, "),
        "{message}"
    );
}

#[test]
fn other_kinds_that_cannot_be_used() {
    let cases = [
        (
            "apiVersion: dapr.io/v2alpha1\nkind: Subscription\nmetadata: {name: s}\nspec:\n  bulkSubscribe: {maxMessagesCount: many}\n".to_owned(),
            "dir/a.yaml, document 1, line 5, column 37: spec.bulkSubscribe.maxMessagesCount: found the text \"many\", expected a whole number from -2147483648 to 2147483647",
        ),
        (
            "apiVersion: dapr.io/v1alpha1\nkind: HTTPEndpoint\nmetadata: {name: h}\nspec:\n  baseUrl: http://x\n  clientTLS: {renegotiation: Sometimes}\n".to_owned(),
            "dir/a.yaml, document 1, line 6, column 30: spec.clientTLS.renegotiation: found the text \"Sometimes\", expected Never, OnceAsClient or FreelyAsClient",
        ),
        (
            resiliency("  policies: {timeouts: {t: soon}}"),
            "dir/a.yaml, document 1, line 6, column 28: spec.policies.timeouts.t: found the text \"soon\", expected a duration such as \"500ms\" or \"5s\", or whole milliseconds",
        ),
        (
            resiliency("  policies: {retries: {r: {policy: linear}}}"),
            "dir/a.yaml, document 1, line 6, column 36: spec.policies.retries.r.policy: found the text \"linear\", expected constant or exponential",
        ),
        (
            resiliency("  policies: {retries: {r: {matching: {httpStatusCodes: '500-400'}}}}"),
            "dir/a.yaml, document 1, line 6, column 56: spec.policies.retries.r.matching.httpStatusCodes: found the text \"500-400\", expected status codes from 100 to 599, as in \"429,500-503\"",
        ),
        (
            resiliency("  policies: {retries: {r: {matching: {gRPCStatusCodes: 17}}}}"),
            "dir/a.yaml, document 1, line 6, column 56: spec.policies.retries.r.matching.gRPCStatusCodes: found 17, expected status codes from 0 to 16, as in \"4,8-10\"",
        ),
        (
            resiliency("  targets: {actors: {T: {circuitBreaker: cb}}}"),
            "dir/a.yaml, document 1, line 6, column 25: spec.targets.actors.T.circuitBreakerScope: found nothing, expected type, id or both, since the target names a circuit breaker",
        ),
    ];
    for (text, message) in cases {
        assert_eq!(refusal(&text), message);
    }
}

#[test]
fn documents_that_are_none_of_ours() {
    assert_eq!(
        refusal("apiVersion: v1\nkind: ConfigMap\n"),
        "apiVersion \"v1\" with kind \"ConfigMap\" is no resource that is known here"
    );
    assert_eq!(
        refusal("apiVersion: dapr.io/v1alpha2\nkind: Component\n"),
        "apiVersion \"dapr.io/v1alpha2\" with kind \"Component\" is no resource that is known here"
    );
    assert_eq!(
        refusal("just text\n"),
        "apiVersion \"\" with kind \"\" is no resource that is known here"
    );
    let expected = |text: &str| read(text).skipped[0].reason.is_expected();
    assert!(expected("apiVersion: v1\nkind: ConfigMap\n"));
    assert!(!expected("apiVersion: dapr.io/v9\nkind: Component\n"));
}

#[test]
fn what_has_no_effect_is_a_warning_with_its_place() {
    let cases = [
        (
            component("  metdata: []"),
            "dir/a.yaml, document 1, line 7, column 3: spec.metdata: unknown field; it has no effect. Did you mean \"metadata\"?",
        ),
        (
            component("  metadata:\n  - name: n\n    values: x"),
            "dir/a.yaml, document 1, line 9, column 5: spec.metadata[0].values: unknown field; it has no effect. Did you mean \"value\"?",
        ),
        (
            component("zzz: 1"),
            "dir/a.yaml, document 1, line 7, column 1: zzz: unknown field; it has no effect",
        ),
        (
            component("  initTimeout: soon"),
            "dir/a.yaml, document 1, line 7, column 16: spec.initTimeout: found the text \"soon\", expected a duration such as \"500ms\", \"5s\" or \"1h30m\"; it has no effect",
        ),
        (
            component("  version: v1\n  Version: v2"),
            "dir/a.yaml, document 1, line 8, column 3: spec.Version: given twice; the later one has effect",
        ),
        (
            component("  version: v1\n  version: v2"),
            "dir/a.yaml, document 1, line 8, column 3: version: given twice; the later one has effect",
        ),
        (
            component("  metadata:\n  - {name: n, value: x, envRef: Y}"),
            "dir/a.yaml, document 1, line 8, column 5: spec.metadata[0]: found more than one of value, secretKeyRef and envRef, expected one of them; it has no effect",
        ),
        (
            component("  metadata:\n  - {name: n, secretKeyRef: {key: k}}"),
            "dir/a.yaml, document 1, line 8, column 29: spec.metadata[0].secretKeyRef.name: missing; expected the secret's name; the reference has no effect without it",
        ),
        (
            "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: a}\nspec: {version: v1}\n".to_owned(),
            "dir/a.yaml, document 1, line 4, column 7: spec.type: missing; expected the component's type, such as \"state.redis\"",
        ),
        (
            "apiVersion: dapr.io/v1alpha1\nkind: Component\nspec: {type: a.b}\n".to_owned(),
            "dir/a.yaml, document 1, line 1, column 1: metadata.name: missing; expected the resource's name",
        ),
        (
            "apiVersion: dapr.io/v1alpha1\nkind: Subscription\nmetadata: {name: s}\nspec: {pubsubname: b, topic: t, routes: {default: /x}, route: /y}\n".to_owned(),
            "dir/a.yaml, document 1, line 4, column 33: spec.routes: unknown field; it has no effect. Did you mean \"route\"?",
        ),
        (
            "apiVersion: dapr.io/v2alpha1\nkind: Subscription\nmetadata: {name: s}\nspec: {pubsubname: b, topic: t}\n".to_owned(),
            "dir/a.yaml, document 1, line 4, column 7: spec.routes: missing; expected where events go; without it every event is dropped",
        ),
    ];
    for (text, message) in cases {
        assert_eq!(warnings(&text), [message]);
    }
}

#[test]
fn long_values_are_cut_in_messages() {
    let text = component(&format!("  ignoreErrors: {}", "x".repeat(200)));
    let message = refusal(&text);
    assert!(
        message.ends_with(&format!(
            "found the text \"{}…\", expected true or false",
            "x".repeat(40)
        )),
        "{message}"
    );
}

/// Fragments of real manifests, so that random mixes get past the header.
fn fragment() -> impl Strategy<Value = String> {
    let fixed = prop::sample::select(vec![
        "apiVersion: dapr.io/v1alpha1\n",
        "apiVersion: dapr.io/v2alpha1\n",
        "kind: Component\n",
        "kind: Subscription\n",
        "kind: Configuration\n",
        "kind: Resiliency\n",
        "kind: HTTPEndpoint\n",
        "kind: MCPServer\n",
        "metadata:\n  name: a\n",
        "spec:\n",
        "  type: state.x\n",
        "  metadata:\n  - name: a\n    value: {x: [1, .nan]}\n",
        "  policies: {retries: {a: {matching: {httpStatusCodes: 1-2-3}}}}\n",
        "  tracing: {samplingRate: x}\n",
        "  routes: {rules: [{match: 5}]}\n",
        "scopes: [app]\n",
        "---\n",
        "&a x: *a\n",
        "<<: {a: 1}\n",
    ])
    .prop_map(str::to_owned);
    prop_oneof![4 => fixed, 1 => "(?s).{0,20}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_mix_of_fragments_panics(parts in prop::collection::vec(fragment(), 0..14)) {
        let report = read(&parts.concat());
        for warning in &report.warnings {
            prop_assert!(!warning.to_string().is_empty());
        }
        for skipped in &report.skipped {
            prop_assert!(!skipped.reason.to_string().is_empty());
        }
    }
}
