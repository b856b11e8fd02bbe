//! The document layout. No RedisJSON server can be had here, so the scripts run on a real server with the few JSON
//! commands that they use played by Lua on plain strings.

use outrigger_testing_harness::RedisServer;
use redis::Value;

use crate::raw::Raw;

/// Plays `JSON.GET key .field` and `JSON.SET key $|.field value` on string keys that hold JSON text.
const SHIM: &str = r#"
local server = redis
local function get(key, path)
  local text = server.pcall('GET', key)
  if type(text) == 'table' then return text end
  if not text then return false end
  local found = cjson.decode(text)[string.sub(path, 2)]
  if found == nil then return { err = 'ERR Path does not exist' } end
  return cjson.encode(found)
end
local function set(key, path, value)
  local document = value
  if path ~= '$' then
    document = cjson.decode(server.call('GET', key))
    document[string.sub(path, 2)] = cjson.decode(value)
    document = cjson.encode(document)
  end
  return server.call('SET', key, document)
end
local function play(carry)
  return function(name, ...)
    if name == 'JSON.GET' then return get(...) end
    if name == 'JSON.SET' then return set(...) end
    return carry(name, ...)
  end
end
local redis = { call = play(server.call), pcall = play(server.pcall) }
"#;

struct Documents {
    _server: RedisServer,
    raw: Raw,
}

impl Documents {
    async fn start() -> Self {
        let server = RedisServer::start().await.unwrap();
        let raw = Raw::to(&server).await;
        Self { _server: server, raw }
    }

    async fn run(&self, script: &str, keys: &[&str], arguments: &[&str]) -> Value {
        let (script, count) = (format!("{SHIM}{script}"), keys.len().to_string());
        let words = [&["EVAL", &script, &count][..], keys, arguments].concat();
        self.raw.ask(&words).await
    }

    async fn set(&self, expected: &str, document: &str, first: &str) -> Value {
        let script = include_str!("../../src/state/lua/set_json.lua");
        self.run(script, &["k"], &[expected, document, first, ""]).await
    }

    async fn stored(&self, key: &str) -> Option<serde_json::Value> {
        let text: Option<String> = self.raw.ask(&["GET", key]).await;
        text.map(|text| serde_json::from_str(&text).unwrap())
    }
}

#[tokio::test]
async fn documents_count_versions_and_keep_the_first_writes_mark() {
    let documents = Documents::start().await;
    assert_eq!(
        documents.set("0", r#"{"data":{"a":1}}"#, "1").await,
        Value::Int(1)
    );
    assert_eq!(
        documents.stored("k").await.unwrap(),
        serde_json::json!({"data": {"a": 1}, "version": 1})
    );
    assert_eq!(documents.set("9", r#"{"data":2}"#, "1").await, Value::Nil);
    assert_eq!(documents.set("1", r#"{"data":2}"#, "0").await, Value::Int(2));
    assert_eq!(
        documents.stored("k").await.unwrap(),
        serde_json::json!({"data": 2, "version": 2, "first-write": 0})
    );
    assert_eq!(
        documents.set("0", r#"{"data":3}"#, "1").await,
        Value::Nil,
        "the mark"
    );
    assert_eq!(documents.set("2", r#"{"data":3}"#, "1").await, Value::Int(3));
    let delete = include_str!("../../src/state/lua/delete_json.lua");
    assert_eq!(documents.run(delete, &["k"], &["2"]).await, Value::Nil);
    assert_eq!(documents.run(delete, &["k"], &["3"]).await, Value::Int(1));
    assert_eq!(documents.stored("k").await, None);
    assert_eq!(documents.run(delete, &["k"], &["3"]).await, Value::Int(0));
}

#[tokio::test]
async fn a_key_of_another_type_becomes_a_document() {
    let documents = Documents::start().await;
    documents
        .raw
        .tell(&["HSET", "k", "data", "x", "version", "5"])
        .await;
    assert_eq!(
        documents.set("5", r#"{"data":1}"#, "1").await,
        Value::Int(6),
        "Dapr counts on from the ETag"
    );
    assert_eq!(documents.stored("k").await.unwrap()["data"], 1);
}

#[tokio::test]
async fn transactions_mix_both_layouts() {
    let documents = Documents::start().await;
    let script = include_str!("../../src/state/lua/transact.lua");
    let steps = [
        "apply",
        "set-json",
        "0",
        r#"{"data":1}"#,
        "100",
        "set",
        "0",
        "plain",
        "",
        "set-json",
        "1",
        r#"{"data":2}"#,
        "-1",
    ];
    assert_eq!(
        documents.run(script, &["j", "h", "j"], &steps).await,
        Value::Int(0)
    );
    assert_eq!(
        documents.stored("j").await.unwrap(),
        serde_json::json!({"data": 2, "version": 2})
    );
    assert_eq!(documents.raw.ask::<i64>(&["TTL", "j"]).await, -1);
    assert_eq!(documents.raw.ask::<String>(&["HGET", "h", "data"]).await, "plain");
    let stale = ["apply", "set", "0", "changed", "", "delete-json", "1", "", ""];
    assert_eq!(documents.run(script, &["h", "j"], &stale).await, Value::Int(2));
    assert_eq!(documents.raw.ask::<String>(&["HGET", "h", "data"]).await, "plain");
    let fine = ["apply", "delete-json", "2", "", ""];
    assert_eq!(documents.run(script, &["j"], &fine).await, Value::Int(0));
    assert_eq!(documents.stored("j").await, None);
}
