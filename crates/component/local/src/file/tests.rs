//! Files as they are written by hand, and as they should not be.

use std::io::Write as _;

use proptest::prelude::*;

use super::*;

async fn open(text: &str, more: &[(&str, &str)]) -> Result<FileStore, OpenError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let path = [("SecretsFile", file.path().to_str().unwrap())];
    FileStore::open(&Properties::new(path.iter().chain(more).copied())).await
}

async fn all(text: &str, more: &[(&str, &str)]) -> Vec<String> {
    let store = open(text, more).await.unwrap();
    let all = store.bulk_get(&Metadata::new()).await.unwrap();
    let mut lines = Vec::new();
    for (name, secrets) in &all {
        assert_eq!(
            store.get(name, &Metadata::new()).await.unwrap().len(),
            secrets.len()
        );
        let pairs: Vec<_> = secrets
            .iter()
            .map(|(key, secret)| format!("{key}={}", secret.expose()))
            .collect();
        lines.push(format!("{name}: {}", pairs.join(", ")));
    }
    lines
}

const NESTED: &str = r#"{
    "plain": "a",
    "redis": {"password": "b", "ports": [6379, "x"], "deep": {"er": true}},
    "big": 123456789012345678901234567890,
    "nothing": null,
    "empty": {}
}"#;

#[tokio::test]
async fn leaves_are_secrets_called_by_their_path() {
    let expected = [
        "big: big=123456789012345678901234567890",
        "nothing: nothing=null",
        "plain: plain=a",
        "redis:deep:er: redis:deep:er=true",
        "redis:password: redis:password=b",
        "redis:ports:0: redis:ports:0=6379",
        "redis:ports:1: redis:ports:1=x",
    ];
    assert_eq!(all(NESTED, &[]).await, expected);
    let dotted = all(NESTED, &[("nestedSeparator", ".")]).await;
    assert!(
        dotted.contains(&"redis.ports.0: redis.ports.0=6379".to_owned()),
        "{dotted:?}"
    );
}

#[tokio::test]
async fn top_level_entries_are_secrets_of_several_keys() {
    let expected = [
        "big: big=123456789012345678901234567890",
        "empty: ",
        "nothing: nothing=null",
        "plain: plain=a",
        "redis: deep:er=true, password=b, ports:0=6379, ports:1=x",
    ];
    assert_eq!(all(NESTED, &[("multiValued", "true")]).await, expected);
}

#[tokio::test]
async fn odd_names_are_names() {
    let text = r#"{"": "a", "x/y?z=1&%20#": "b", "鍵 ": "c", "quo\"te": "d", "a:b": "first", "a": {"b": "second", "": "e"}}"#;
    let expected = [
        ": =a",
        "a:: a:=e",
        "a:b: a:b=second",
        "quo\"te: quo\"te=d",
        "x/y?z=1&%20#: x/y?z=1&%20#=b",
        "鍵 : 鍵 =c",
    ];
    assert_eq!(all(text, &[]).await, expected);
}

#[tokio::test]
async fn a_missing_secret_is_named() {
    let store = open("{}", &[]).await.unwrap();
    let error = store.get("key1", &Metadata::new()).await.unwrap_err();
    assert_eq!(error.to_string(), "secret key1 not found");
}

#[tokio::test]
async fn a_file_that_cannot_be_used_says_why_and_shows_nothing() {
    let missing = FileStore::open(&Properties::default()).await.unwrap_err();
    assert_eq!(missing.to_string(), "missing local secrets file in metadata");
    let absent = FileStore::open(&Properties::new([("secretsFile", "/no/such/file.json")]))
        .await
        .unwrap_err();
    assert_eq!(absent.to_string(), "read the secrets file /no/such/file.json");
    assert!(absent.retryable());
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(100), "]".repeat(100));
    for (text, reason) in [
        ("", "not valid JSON (line 1, column 0)"),
        ("[\"hunter2\"]", "not one JSON object (line 1, column 0)"),
        ("{\"a\": hunter2}", "not valid JSON (line 1, column 7)"),
        ("\"hunter2\"", "not one JSON object (line 1, column 9)"),
        (&deep, "nested deeper than 64 levels"),
    ] {
        let error = open(text, &[]).await.unwrap_err().to_string();
        assert!(error.ends_with(reason), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

proptest! {
    #[test]
    fn flat_files_come_back_whole(secrets in prop::collection::btree_map(any::<String>(), any::<String>(), 0..20)) {
        let text = serde_json::to_vec(&secrets).unwrap();
        let found = flatten::parse(&text, ":", false).unwrap();
        prop_assert_eq!(found.len(), secrets.len());
        for (name, text) in &secrets {
            prop_assert_eq!(found[name][name].expose(), text);
        }
    }

    #[test]
    fn any_bytes_are_answered(text in any::<Vec<u8>>(), multi_valued in any::<bool>()) {
        let _ = flatten::parse(&text, ":", multi_valued);
    }
}
