//! Paths without what is different in each request: keys, names, ids.

use std::borrow::Cow;

use outrigger_wire_names::routes;

/// Segments that are looked at; the rest is one.
const SEGMENTS: usize = 6;

/// One slash where there are several, and one in front.
pub(super) fn normalize(path: &str) -> Cow<'_, str> {
    if path.starts_with('/') && !path.contains("//") {
        return Cow::Borrowed(path);
    }
    let mut clean = String::with_capacity(path.len() + 1);
    for part in path.split('/').filter(|part| !part.is_empty()) {
        clean.push('/');
        clean.push_str(part);
    }
    if clean.is_empty() || path.ends_with('/') {
        clean.push('/');
    }
    Cow::Owned(clean)
}

/// The path without keys and ids, as Dapr shortens it: `/v1.0/state/store/key` counts as `/v1.0/state/store`.
pub(super) fn shorten(path: &str) -> Cow<'_, str> {
    if path.is_empty() {
        return Cow::Borrowed(path);
    }
    let path = normalize(path);
    let mut parts = path[1..].splitn(SEGMENTS, '/');
    let first = parts.next().unwrap_or_default();
    let Some(second) = parts.next() else { return path };
    let rest: [Option<&str>; SEGMENTS - 2] = std::array::from_fn(|_| parts.next());
    let Some(third) = rest[0] else { return path };
    let short = match (first, second) {
        (routes::ACTORS, _) => Some(actor_callback(second, &rest)),
        (_, routes::STATE | routes::SECRETS) if rest[1].is_some() => {
            Some(format!("/{first}/{second}/{third}"))
        }
        (_, routes::ACTORS) => match (rest[1], rest[2]) {
            (Some(_), Some(verb)) => Some(format!("/{first}/{second}/{third}/{{id}}/{verb}")),
            _ => None,
        },
        (_, routes::WORKFLOWS) => workflow(first, second, third, [rest[1], rest[2], rest[3]]),
        _ => None,
    };
    short.map_or(path, Cow::Owned)
}

/// `actors/<type>/<id>/…`, which the app is called with. It has no slash in front, as ever.
fn actor_callback(kind: &str, rest: &[Option<&str>]) -> String {
    let tail = rest[1..].iter().flatten();
    tail.fold(format!("{}/{kind}/{{id}}", routes::ACTORS), |text, part| {
        text + "/" + part
    })
}

fn workflow(version: &str, block: &str, component: &str, rest: [Option<&str>; 3]) -> Option<String> {
    let head = format!("/{version}/{block}/{component}");
    match rest {
        [None, ..] => None,
        [Some(_), None, _] => Some(format!("{head}/{{instanceId}}")),
        [Some(name), Some(verb), None] if verb.starts_with(routes::WORKFLOW_START) => {
            Some(format!("{head}/{name}/{}", routes::WORKFLOW_START))
        }
        [Some(_), Some(verb), Some(event)] if verb == routes::WORKFLOW_RAISE_EVENT && !event.is_empty() => {
            Some(format!("{head}/{{instanceId}}/{verb}/{{eventName}}"))
        }
        [Some(_), Some(verb), _] => Some(format!("{head}/{{instanceId}}/{verb}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_ids_are_left_out() {
        for (path, short) in [
            ("/v1.0/state/s/key", "/v1.0/state/s"),
            ("/v1.0/state/s", "/v1.0/state/s"),
            ("/v1.0/secrets/s/name", "/v1.0/secrets/s"),
            ("/v1.0/healthz", "/v1.0/healthz"),
            ("hi", "/hi"),
            ("//a//b", "/a/b"),
            ("/v1.0/invoke/app/method/a/b/c", "/v1.0/invoke/app/method/a/b/c"),
            ("/v1.0/actors/T/1/method/m", "/v1.0/actors/T/{id}/method"),
            ("/v1.0/actors/T/1", "/v1.0/actors/T/1"),
            ("/actors/T/1/method/m", "actors/T/{id}/method/m"),
            ("/v1.0/workflows/dapr/i", "/v1.0/workflows/dapr/{instanceId}"),
            ("/v1.0/workflows/dapr/w/start", "/v1.0/workflows/dapr/w/start"),
            (
                "/v1.0/workflows/dapr/i/pause",
                "/v1.0/workflows/dapr/{instanceId}/pause",
            ),
            (
                "/v1.0/workflows/dapr/i/raiseEvent/e",
                "/v1.0/workflows/dapr/{instanceId}/raiseEvent/{eventName}",
            ),
        ] {
            assert_eq!(shorten(path), short, "{path}");
        }
    }

    #[test]
    fn an_invocation_is_its_own_label_without_a_copy() {
        assert!(matches!(shorten("/v1.0/invoke/app/method/a"), Cow::Borrowed(_)));
    }
}
