//! Headers of the neutral form as gRPC metadata, and back (dapr-runtime.md §3.8).

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use outrigger_base_telemetry::trace::TraceContext;
use outrigger_block_pubsub::Metadata;
use outrigger_transport::hop;
use outrigger_wire_names::headers;
use tonic::metadata::MetadataMap;

/// Base64 of binary metadata: written without padding, read with or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Ends the name of binary metadata.
const BINARY: &str = "-bin";
/// Begins the names that belong to gRPC itself.
const RESERVED: &str = "grpc-";

/// Standard request headers, as Dapr lists them: to a gRPC app they are named with a prefix.
static STANDARD_HEADERS: [HeaderName; 23] = [
    header::ACCEPT,
    header::ACCEPT_CHARSET,
    header::ACCEPT_LANGUAGE,
    header::ACCEPT_RANGES,
    header::CACHE_CONTROL,
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::COOKIE,
    header::DATE,
    header::EXPECT,
    header::FROM,
    header::HOST,
    header::IF_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::IF_UNMODIFIED_SINCE,
    header::MAX_FORWARDS,
    header::ORIGIN,
    header::PRAGMA,
    header::REFERER,
    header::VIA,
    header::WARNING,
    HeaderName::from_static("if-schedule-tag-match"),
];

/// Headers of the neutral form as metadata: standard names get a prefix, what belongs to the hop stays behind, and a
/// trace goes in both of its forms.
pub fn to_app(given: &HeaderMap) -> HeaderMap {
    let mut map = HeaderMap::with_capacity(given.keys_len() + 2);
    for (name, value) in given {
        let text = name.as_str();
        if is_own(name) || text == headers::GRPC_TRACE_BIN || !is_binary_sound(text, value) {
            continue;
        }
        if is_standard(name) {
            if let Ok(prefixed) = HeaderName::try_from(format!("{}{text}", headers::DAPR_PREFIX)) {
                map.append(prefixed, value.clone());
            }
        } else {
            map.append(name.clone(), value.clone());
        }
    }
    hop::strip(&mut map);
    trace(&mut map, given);
    map
}

/// Metadata of an answer as headers: what belongs to gRPC or to the framing stays behind.
pub(super) fn from_app(metadata: &MetadataMap) -> HeaderMap {
    let mut map = metadata.clone().into_headers();
    let foreign: Vec<HeaderName> = map
        .keys()
        .filter(|name| is_own(name) || **name == header::CONTENT_LENGTH || **name == header::CONTENT_TYPE)
        .cloned()
        .collect();
    for name in foreign {
        map.remove(name);
    }
    hop::strip(&mut map);
    map
}

/// Broker metadata of an event as metadata. What cannot stand there is left out.
pub(super) fn of_event(given: &Metadata, traceparent: Option<&str>) -> HeaderMap {
    let mut map = HeaderMap::with_capacity(given.len() + 2);
    for (name, value) in given {
        let Ok(name) = HeaderName::try_from(name) else {
            continue;
        };
        if is_own(&name) || name == header::CONTENT_TYPE || name == header::CONTENT_LENGTH {
            continue;
        }
        let value = if name.as_str().ends_with(BINARY) {
            HeaderValue::try_from(BASE64.encode(value))
        } else {
            HeaderValue::from_str(value)
        };
        if let Ok(value) = value {
            map.insert(name, value);
        }
    }
    hop::strip(&mut map);
    if let Some(parent) = traceparent {
        set_trace(&mut map, parent);
    }
    map
}

/// Whether a name belongs to gRPC or to us, and says nothing to an app.
fn is_own(name: &HeaderName) -> bool {
    let ours = [&headers::DATA_TYPE, &headers::APP_STATUS, &header::USER_AGENT];
    ours.contains(&name) || (name.as_str().starts_with(RESERVED) && *name != headers::GRPC_TRACE_BIN)
}

fn is_standard(name: &HeaderName) -> bool {
    STANDARD_HEADERS.contains(name)
}

/// Binary metadata that is no base64 would fail the whole call.
fn is_binary_sound(name: &str, value: &HeaderValue) -> bool {
    !name.ends_with(BINARY) || BASE64.decode(value.as_bytes()).is_ok()
}

/// The trace in both forms, from whichever came.
fn trace(map: &mut HeaderMap, given: &HeaderMap) {
    if let Some(parent) = map.get(headers::TRACEPARENT).cloned() {
        if let Ok(parent) = parent.to_str() {
            set_trace(map, parent);
        }
        return;
    }
    let Some(value) = given.get(headers::GRPC_TRACE_BIN) else {
        return;
    };
    let bytes = BASE64.decode(value.as_bytes()).unwrap_or_default();
    if let Some(context) = TraceContext::from_binary(&bytes) {
        set_trace(map, context.traceparent().as_str());
    }
}

fn set_trace(map: &mut HeaderMap, parent: &str) {
    if let Ok(value) = HeaderValue::from_str(parent) {
        map.insert(headers::TRACEPARENT, value);
    }
    // No trace is told as no trace: in zeros.
    let binary = TraceContext::parse(parent).unwrap_or(TraceContext::NONE).binary();
    if let Ok(value) = HeaderValue::try_from(BASE64.encode(binary)) {
        map.insert(headers::GRPC_TRACE_BIN, value);
    }
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

    #[test]
    fn standard_headers_get_a_prefix_and_the_rest_stay() {
        let metadata = to_app(&map(&[
            ("content-type", "text/plain"),
            ("host", "h"),
            ("via", "v"),
            ("x-own", "1"),
            ("authorization", "a"),
            ("connection", "close"),
            ("grpc-timeout", "1S"),
            ("user-agent", "u"),
            ("x-data-bin", "aGk="),
            ("x-bad-bin", "*"),
        ]));
        let expected = map(&[
            ("dapr-content-type", "text/plain"),
            ("dapr-host", "h"),
            ("dapr-via", "v"),
            ("x-own", "1"),
            ("authorization", "a"),
            ("x-data-bin", "aGk="),
        ]);
        assert_eq!(metadata, expected);
    }

    #[test]
    fn a_trace_goes_in_both_forms() {
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let binary = "AAAK92UZFs1D3YRI6yEcgDGcAbetaxaSAzMQIB";
        let from_text = to_app(&map(&[("traceparent", parent)]));
        let found = from_text["grpc-trace-bin"].to_str().unwrap();
        assert_eq!(BASE64.decode(found).unwrap().len(), 29);
        assert_ne!(found, binary);
        let mut given = HeaderMap::new();
        given.insert("grpc-trace-bin", from_text["grpc-trace-bin"].clone());
        assert_eq!(to_app(&given)["traceparent"], parent);
    }

    #[test]
    fn broker_metadata_that_is_no_metadata_is_left_out() {
        let given = [
            ("Key-A", "1"),
            ("x y", "2"),
            ("content-type", "3"),
            ("b-bin", "hi"),
            ("grpc-status", "0"),
        ];
        let given = given
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        assert_eq!(of_event(&given, None), map(&[("key-a", "1"), ("b-bin", "aGk")]));
    }
}
