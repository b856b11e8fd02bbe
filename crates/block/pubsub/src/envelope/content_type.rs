//! Which kind a content type is: compared without regard to case, parameters after `;` left out.

use outrigger_wire_names::content;

use super::protobuf;

/// Whether the payload is one CloudEvent as JSON. A batch is not.
pub fn is_cloud_event(content_type: &str) -> bool {
    is(content_type, content::CLOUD_EVENT)
}

/// Whether the payload is a JSON value. Other types that end in `+json` are not taken for it (the peers' rule).
pub fn is_json(content_type: &str) -> bool {
    is(content_type, content::JSON)
}

/// Whether the payload is text: any `text/…`, and XML.
pub fn is_text(content_type: &str) -> bool {
    let prefix = content_type.as_bytes().get(..content::TEXT_PREFIX.len());
    prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(content::TEXT_PREFIX.as_bytes()))
        || is(content_type, content::XML)
}

/// Whether the payload is opaque bytes.
pub fn is_binary(content_type: &str) -> bool {
    is(content_type, content::OCTET_STREAM)
}

/// Whether the payload is a CloudEvent as protobuf: said so, or a protobuf message that reads as one.
pub(super) fn is_protobuf_event(content_type: &str, data: &[u8]) -> bool {
    is(content_type, content::CLOUD_EVENT_PROTOBUF)
        || (is(content_type, content::PROTOBUF) && protobuf::reads_as_event(data))
}

fn is(content_type: &str, expected: &str) -> bool {
    let essence = content_type
        .split_once(';')
        .map_or(content_type, |(essence, _)| essence);
    essence.eq_ignore_ascii_case(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_and_case_do_not_matter() {
        assert!(is_json("Application/JSON; charset=utf-8"));
        assert!(is_json("application/json"));
        assert!(!is_json("application/vnd.acme+json"));
        assert!(is_cloud_event("application/cloudevents+json;charset=utf-8"));
        assert!(!is_cloud_event("application/cloudevents-batch+json"));
        assert!(is_text("TEXT/html"));
        assert!(is_text("application/xml"));
        assert!(!is_text("texte"));
        assert!(is_binary("application/octet-stream"));
        assert!(!is_binary(""));
    }
}
