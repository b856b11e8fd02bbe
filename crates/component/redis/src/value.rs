//! Taking answers apart without copying their bytes.

use redis::Value;

use crate::fault::Fault;

/// The answer, or the fault when it is the server's error.
pub(crate) fn checked(value: Value) -> Result<Value, Fault> {
    match value {
        Value::ServerError(error) => Err(Fault::Refused(error)),
        value => Ok(value),
    }
}

/// The bytes of a text answer.
pub(crate) fn bytes(value: Value) -> Result<Vec<u8>, Fault> {
    match value {
        Value::BulkString(bytes) => Ok(bytes),
        Value::SimpleString(text) => Ok(text.into_bytes()),
        Value::Okay => Ok(b"OK".to_vec()),
        Value::Int(number) => Ok(number.to_string().into_bytes()),
        other => Err(strange("a text", &other)),
    }
}

/// The text of a text answer.
pub(crate) fn text(value: Value) -> Result<String, Fault> {
    String::from_utf8(bytes(value)?).map_err(|_| Fault::Strange("a text that is not UTF-8".to_owned()))
}

/// The number in a number or text answer.
pub(crate) fn number(value: &Value) -> Result<i64, Fault> {
    let parsed = match value {
        Value::Int(number) => Some(*number),
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok().and_then(|text| text.parse().ok()),
        Value::SimpleString(text) => text.parse().ok(),
        _ => None,
    };
    parsed.ok_or_else(|| strange("a number", value))
}

/// The items of a list answer; nothing is an empty list.
pub(crate) fn list(value: Value) -> Result<Vec<Value>, Fault> {
    match value {
        Value::Array(items) | Value::Set(items) => Ok(items),
        Value::Nil => Ok(Vec::new()),
        other => Err(strange("a list", &other)),
    }
}

/// The pairs of a map answer, which the older protocol sends as one flat list.
pub(crate) fn pairs(value: Value) -> Result<Vec<(Value, Value)>, Fault> {
    if let Value::Map(pairs) = value {
        return Ok(pairs);
    }
    let mut flat = list(value)?.into_iter();
    let mut pairs = Vec::with_capacity(flat.len() / 2);
    while let (Some(name), Some(value)) = (flat.next(), flat.next()) {
        pairs.push((name, value));
    }
    Ok(pairs)
}

/// A fault that says what was expected. The answer itself may hold a user's data, so only its kind is told.
pub(crate) fn strange(expected: &str, found: &Value) -> Fault {
    let kind = match found {
        Value::Nil => "nothing",
        Value::Int(_) => "a number",
        Value::BulkString(_) | Value::SimpleString(_) | Value::Okay => "a text",
        Value::Array(_) | Value::Set(_) => "a list",
        Value::Map(_) => "a map",
        Value::ServerError(_) => "an error",
        _ => "a value of another kind",
    };
    Fault::Strange(format!("{kind} where {expected} was expected"))
}
