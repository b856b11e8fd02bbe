//! What the properties accept and refuse.

use super::*;

fn read(pairs: &[(&str, &str)]) -> Result<Settings, OpenError> {
    Settings::read(
        &Context::for_test("orders"),
        &Properties::new(pairs.iter().copied()),
    )
}

#[test]
fn without_properties_the_documented_defaults_hold() {
    let settings = read(&[]).unwrap();
    assert!(settings.folder.ends_with("broker/orders"));
    assert_eq!(&*settings.group, "app");
    assert_eq!(settings.lease, Duration::from_secs(60));
    assert_eq!(settings.concurrency, 10);
    assert_eq!(settings.synchronous, Synchronous::Full);
    assert_eq!(settings.dead_letter, None);
    assert_eq!(settings.retention.bytes, 268_435_456);
}

#[test]
fn every_property_is_read() {
    let settings = read(&[
        ("path", "/somewhere"),
        ("consumerID", " billing "),
        ("processingTimeout", "1500ms"),
        ("concurrency", "1"),
        ("synchronous", "Normal"),
        ("deadLetterTopic", "poison"),
        ("maxDeliveryAttempts", "3"),
        ("ttlInSeconds", "20"),
        ("retentionAge", "1h"),
        ("retentionBytes", "1Mi"),
        ("groupRetention", "2h"),
    ])
    .unwrap();
    let expected = Settings {
        folder: "/somewhere".into(),
        group: "billing".into(),
        lease: Duration::from_millis(1500),
        concurrency: 1,
        synchronous: Synchronous::Normal,
        dead_letter: Some(DeadLetter {
            topic: "poison".into(),
            after: 3,
        }),
        ttl: Some(Duration::from_secs(20)),
        retention: Retention {
            age: Duration::from_secs(3600),
            bytes: 1 << 20,
            group: Duration::from_secs(7200),
        },
    };
    assert_eq!(settings, expected);
}

#[test]
fn what_cannot_be_used_is_named() {
    let refused = [
        ("processingTimeout", "0"),
        ("concurrency", "0"),
        ("concurrency", "1001"),
        ("synchronous", "off"),
        ("maxDeliveryAttempts", "0"),
        ("ttlInSeconds", "0"),
        ("retentionAge", "soon"),
        ("retentionBytes", "-1"),
        ("groupRetention", "0s"),
    ];
    for (name, value) in refused {
        let error = read(&[(name, value)]).unwrap_err().to_string();
        assert!(error.starts_with(&format!("property {name}: ")), "{error}");
    }
}

#[test]
fn a_component_name_never_leads_out_of_the_data_folder() {
    for name in ["", "..", "a/b"] {
        let error = Settings::read(&Context::for_test(name), &Properties::default()).unwrap_err();
        assert!(error.to_string().starts_with("property path: "), "{error}");
    }
}
