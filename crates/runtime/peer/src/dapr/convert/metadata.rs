//! Headers as the metadata of Dapr's messages.
//!
//! Dapr's sidecars hold the headers of HTTP under Go's canonical names and the metadata of gRPC in lower case, and decide
//! by that spelling what a header is: `Content-Length` becomes `dapr-content-length` on its way to a gRPC client or app,
//! while `content-length` goes on as it is and breaks the stream, whose data has another length.

use std::collections::HashMap;

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{CONTENT_LENGTH, CONTENT_TYPE, HOST},
};
use outrigger_transport::hop;
use outrigger_wire_names::headers as names;
use outrigger_wire_proto::internals::ListStringValue;

/// Header values as messages carry them.
pub(super) type Values = HashMap<String, ListStringValue>;

/// Ends the name of binary metadata, which is known by it in lower case only.
const BINARY: &str = "-bin";

/// Names that sidecars set, in lower case: another spelling is the app's own header.
static OF_SIDECARS: [HeaderName; 4] = [
    names::CALLER_APP_ID,
    names::CALLER_NAMESPACE,
    names::CALLEE_APP_ID,
    names::DESTINATION_APP_ID,
];

/// What sidecars of ours tell each other in headers; messages have fields for the last two.
static OURS: [HeaderName; 4] = [
    names::PEER,
    names::PEER_ERROR,
    names::DATA_TYPE,
    names::APP_STATUS,
];

/// The headers of a request, of HTTP as far as Dapr can tell.
pub(super) fn of_request(headers: &HeaderMap) -> Values {
    values(headers, canonical)
}

/// The headers of an answer; of one of a gRPC app, its metadata. The length stays behind, as it does at Dapr's callees:
/// whoever gets the answer frames it anew.
pub(super) fn of_answer(headers: &HeaderMap) -> Values {
    let of_grpc = headers.contains_key(names::APP_STATUS);
    let key = if of_grpc { as_it_is } else { canonical };
    let mut values = values(headers, key);
    values.remove(&key(&CONTENT_LENGTH));
    values
}

/// What belongs to the hop between two sidecars of ours stays behind: its host, what is said of trailers, for which messages
/// have no place, and what they tell each other.
fn values(headers: &HeaderMap, key: fn(&HeaderName) -> String) -> Values {
    let mut all = Values::with_capacity(headers.keys_len());
    for name in headers.keys() {
        if hop::is_own(name) || *name == HOST || OURS.contains(name) {
            continue;
        }
        // What is no text cannot travel in a message.
        let texts = headers.get_all(name).iter();
        let texts = texts.filter_map(|value| std::str::from_utf8(value.as_bytes()).ok());
        let is_binary = name.as_str().ends_with(BINARY);
        let values: Vec<String> = texts
            .map(|text| if is_binary { padded(text) } else { text.to_owned() })
            .collect();
        if !values.is_empty() {
            all.insert(key(name), ListStringValue { values });
        }
    }
    all
}

/// Base64 with the padding that gRPC leaves out and Dapr's sidecars ask for: they drop a value without it.
fn padded(base64: &str) -> String {
    let length = base64.len().next_multiple_of(4);
    let mut text = String::with_capacity(length);
    text.push_str(base64);
    text.extend(std::iter::repeat_n('=', length - base64.len()));
    text
}

fn as_it_is(name: &HeaderName) -> String {
    name.as_str().to_owned()
}

/// A name with each of its words in a capital.
fn canonical(name: &HeaderName) -> String {
    let text = name.as_str();
    if OF_SIDECARS.contains(name) || text.ends_with(BINARY) {
        return text.to_owned();
    }
    let mut key = String::with_capacity(text.len());
    let mut begins = true;
    for letter in text.chars() {
        key.push(if begins {
            letter.to_ascii_uppercase()
        } else {
            letter
        });
        begins = letter == '-';
    }
    key
}

/// The headers of a request that came as metadata.
///
/// Of what sidecars say, only what is spelled as they spell it counts, and of that the last: Dapr's leave the headers that
/// their app sent under the same names, spelled as HTTP does, beside their own.
pub(super) fn to_request(mut values: Values) -> HeaderMap {
    let mut said = |name: &HeaderName| values.remove(name.as_str())?.values.pop();
    let said: [Option<String>; 4] = std::array::from_fn(|index| said(&OF_SIDECARS[index]));
    let mut headers = headers(values);
    for (name, value) in OF_SIDECARS.iter().zip(said) {
        headers.remove(name);
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            headers.insert(name, value);
        }
    }
    headers
}

/// The length that a request's body has, where its metadata tells one.
pub(in crate::dapr) fn length(values: &Values) -> Result<Option<u64>, String> {
    let is_length = |name: &str| name.eq_ignore_ascii_case(CONTENT_LENGTH.as_str());
    let told = values.iter().filter(|(name, _)| is_length(name));
    let mut lengths = told.flat_map(|(_, list)| &list.values);
    let Some(first) = lengths.next() else {
        return Ok(None);
    };
    if let Some(other) = lengths.find(|other| *other != first) {
        return Err(format!("the body has two lengths: {first:?} and {other:?}"));
    }
    let length = first
        .parse()
        .map_err(|error| format!("invalid length of the body {first:?}: {error}"))?;
    Ok(Some(length))
}

/// The headers of an answer that came as metadata.
pub(super) fn to_answer(values: Values) -> HeaderMap {
    headers(values)
}

/// The headers that metadata stands for, whatever its spelling. What ours tell each other is no app's to say, nor a client's.
fn headers(values: Values) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(values.len());
    for (name, list) in values {
        // gRPC's own metadata (`:authority`, `grpc-…`) is no header of the invocation.
        let Ok(name) = HeaderName::try_from(name) else {
            continue;
        };
        if name.as_str().starts_with("grpc-") && name != names::GRPC_TRACE_BIN {
            continue;
        }
        for value in list.values {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.append(name.clone(), value);
            }
        }
    }
    hop::strip(&mut headers);
    for name in &OURS {
        headers.remove(name);
    }
    // The body is framed anew: its length is told by the body itself, where it is known. Its type is told by a field of the
    // message; this one may be that of gRPC's own messages.
    headers.remove(CONTENT_LENGTH);
    headers.remove(CONTENT_TYPE);
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    fn keys(values: &Values) -> Vec<&str> {
        let mut keys: Vec<&str> = values.keys().map(String::as_str).collect();
        keys.sort_unstable();
        keys
    }

    #[test]
    fn headers_of_http_travel_under_their_canonical_names() {
        let given = map(&[
            ("content-length", "5"),
            ("x-two", "1"),
            ("accept", "*/*"),
            ("x-two", "2"),
            ("x-data-bin", "aGk"),
            ("dapr-caller-app-id", "caller"),
            ("dapr-caller-namespace", "default"),
            ("dapr-callee-app-id", "callee"),
            ("destination-app-id", "callee"),
            ("x-forwarded-for", "10.0.0.1"),
            ("te", "trailers"),
            ("host", "h"),
            ("outrigger-data-type", "type"),
        ]);
        let values = of_request(&given);
        let expected = [
            "Accept",
            "Content-Length",
            "X-Forwarded-For",
            "X-Two",
            "dapr-callee-app-id",
            "dapr-caller-app-id",
            "dapr-caller-namespace",
            "destination-app-id",
            "x-data-bin",
        ];
        assert_eq!(keys(&values), expected);
        assert_eq!(values["X-Two"].values, ["1", "2"]);
        assert_eq!(values["x-data-bin"].values, ["aGk="]);
    }

    #[test]
    fn an_answer_has_no_length() {
        let given = map(&[("content-length", "5"), ("content-type", "text/plain")]);
        assert_eq!(keys(&of_answer(&given)), ["Content-Type"]);
        // That of a gRPC app is metadata, which Dapr holds in lower case.
        let given = map(&[
            ("content-length", "5"),
            ("date", "today"),
            ("outrigger-app-status", ""),
        ]);
        assert_eq!(keys(&of_answer(&given)), ["date"]);
    }

    fn metadata(pairs: &[(&str, &[&str])]) -> Values {
        let values = |values: &[&str]| values.iter().map(|&value| value.to_owned()).collect();
        let pair =
            |(name, all): &(&str, &[&str])| ((*name).to_owned(), ListStringValue { values: values(all) });
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn only_a_sidecar_says_who_calls() {
        // As a sidecar of Dapr's sends it whose client tried to be somebody else.
        let given = metadata(&[
            ("Dapr-Caller-App-Id", &["evil"]),
            ("dapr-caller-app-id", &["evil", "caller"]),
            ("Dapr-Caller-Namespace", &["evil"]),
            ("DAPR-CALLEE-APP-ID", &["evil"]),
            ("dapr-callee-app-id", &["callee"]),
            ("Connection", &["dapr-callee-app-id, x-hop"]),
            ("X-Hop", &["1"]),
            ("Outrigger-Peer-Error", &["misdirected"]),
            ("X-Two", &["1", "2"]),
        ]);
        let mut expected = map(&[
            ("dapr-caller-app-id", "caller"),
            ("dapr-callee-app-id", "callee"),
            ("x-two", "1"),
        ]);
        expected.append("x-two", HeaderValue::from_static("2"));
        assert_eq!(to_request(given), expected);
        // An app that answers with the headers of its request says nothing of itself.
        let given = metadata(&[
            ("Dapr-Caller-App-Id", &["caller"]),
            ("Outrigger-Peer-Error", &["x"]),
        ]);
        assert_eq!(to_answer(given), map(&[("dapr-caller-app-id", "caller")]));
    }

    #[test]
    fn a_length_is_found_in_any_spelling() {
        for name in ["Content-Length", "content-length"] {
            assert_eq!(length(&metadata(&[("X", &["1"]), (name, &["5"])])), Ok(Some(5)));
        }
        assert_eq!(length(&metadata(&[("X", &["1"])])), Ok(None));
        assert_eq!(length(&metadata(&[("content-length", &["5", "5"])])), Ok(Some(5)));
        for wrong in [&["5", "6"][..], &["-1"], &["x"], &[""]] {
            assert!(
                length(&metadata(&[("content-length", wrong)])).is_err(),
                "{wrong:?}"
            );
        }
    }
}
