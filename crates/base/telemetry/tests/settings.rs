//! What the environment may change about traces.

use std::{collections::HashMap, time::Duration};

use outrigger_base_telemetry::trace::{Protocol, Resource, SettingsError, TraceSettings};

fn env(pairs: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> + use<> {
    let pairs: HashMap<String, String> = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    move |name| pairs.get(name).cloned()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn the_environment_fills_in_an_endpoint() {
    let settings = TraceSettings::default()
        .with_env(env(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector:1234"),
            ("OTEL_EXPORTER_OTLP_INSECURE", "true"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b, other = c=d "),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "1500"),
        ]))
        .unwrap();
    assert_eq!(
        settings,
        TraceSettings {
            sampling_rate: "1".into(),
            endpoint: "collector:1234".into(),
            protocol: "http".into(),
            secure: Some(false),
            headers: pairs(&[("api-key", "a b"), ("other", "c=d")]),
            timeout: Some(Duration::from_millis(1500)),
        }
    );
    let otlp = settings.otlp().unwrap().unwrap();
    assert_eq!((otlp.protocol, otlp.secure), (Protocol::Http, false));
}

#[test]
fn variables_for_traces_win() {
    let settings = TraceSettings {
        sampling_rate: "0.5".into(),
        ..TraceSettings::default()
    }
    .with_env(env(&[
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces:1"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "all:2"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a=1"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "b=2"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "1"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "2"),
    ]))
    .unwrap();
    assert_eq!(settings.endpoint, "traces:1");
    assert_eq!(settings.protocol, "grpc");
    assert_eq!(settings.secure, Some(false), "an http:// endpoint is insecure");
    assert_eq!(settings.headers, pairs(&[("a", "1")]));
    assert_eq!(settings.timeout, Some(Duration::from_millis(1)));
    assert_eq!(settings.sampling_rate, "0.5", "a configured rate stands");
}

#[test]
fn what_is_configured_stands() {
    let configured = TraceSettings {
        sampling_rate: "0".into(),
        endpoint: "mine:1".into(),
        protocol: "grpc".into(),
        secure: None,
        headers: pairs(&[("mine", "1")]),
        timeout: Some(Duration::from_secs(30)),
    };
    let environment = env(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://theirs:2"),
        ("OTEL_EXPORTER_OTLP_INSECURE", "true"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "theirs=2"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "5000"),
    ]);
    let settings = configured.clone().with_env(environment).unwrap();
    assert_eq!(settings, configured);
    assert!(settings.otlp().unwrap().unwrap().secure, "TLS is the default");
}

#[test]
fn nothing_set_means_nothing_to_export() {
    let settings = TraceSettings::default()
        .with_env(env(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "")]))
        .unwrap();
    assert_eq!(settings, TraceSettings::default());
    assert_eq!(settings.otlp(), Ok(None));
}

#[test]
fn bad_values_are_refused_without_telling_secrets() {
    let error = |pairs: &[(&str, &str)]| TraceSettings::default().with_env(env(pairs)).unwrap_err();
    for bad in ["secret", "=secret", "a b=secret", "a=1,secret%2"] {
        let text = error(&[("OTEL_EXPORTER_OTLP_HEADERS", bad)]).to_string();
        assert!(
            text.contains("OTEL_EXPORTER_OTLP_HEADERS: entry") && !text.contains("secret"),
            "{text}"
        );
    }
    assert!(matches!(
        error(&[("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "soon")]),
        SettingsError::Timeout { .. }
    ));
    for none in ["0", "-1"] {
        let pairs = [("OTEL_EXPORTER_OTLP_TIMEOUT", none)];
        assert_eq!(
            TraceSettings::default().with_env(env(&pairs)).unwrap().timeout,
            None
        );
    }
    let settings = TraceSettings {
        endpoint: "e:1".into(),
        protocol: "carrier pigeon".into(),
        headers: pairs(&[("api-key", "hush")]),
        ..TraceSettings::default()
    };
    assert_eq!(
        settings.otlp(),
        Err(SettingsError::Protocol("carrier pigeon".into()))
    );
    assert!(!format!("{settings:?}").contains("hush"));
}

#[test]
fn the_resource_is_the_service_unless_the_environment_says_otherwise() {
    let (resource, ignored) = Resource::new("app").with_env(env(&[]));
    assert_eq!((resource.service_name(), ignored.len()), ("app", 0));

    let list =
        "service.namespace=production, k8s.pod.name = pod%2D1 ,service.name=attribute,broken,=x,bad=%zz,";
    let (resource, ignored) = Resource::new("app").with_env(env(&[("OTEL_RESOURCE_ATTRIBUTES", list)]));
    assert_eq!(
        resource.attributes(),
        pairs(&[
            ("service.name", "attribute"),
            ("service.namespace", "production"),
            ("k8s.pod.name", "pod-1"),
            ("bad", "%zz"),
        ])
    );
    assert_eq!(ignored, ["broken", "=x"]);

    let both = [
        ("OTEL_RESOURCE_ATTRIBUTES", list),
        ("OTEL_SERVICE_NAME", "custom"),
    ];
    assert_eq!(
        Resource::new("app").with_env(env(&both)).0.service_name(),
        "custom"
    );
}
