//! Which handler a call goes to.

mod pattern;

use std::collections::HashMap;

use http::{HeaderValue, Method, StatusCode, header::ALLOW};

use crate::{Error, IntoResponse, Response, extract::decode, handler::CallFn};
use pattern::Pattern;

/// Every method of an app.
#[derive(Default)]
pub(crate) struct Routes {
    /// Methods without captures, by their names.
    exact: HashMap<String, Verbs>,
    /// Methods with captures, the more particular ones first.
    patterns: Vec<(Pattern, Verbs)>,
}

/// The handlers of one method.
#[derive(Default)]
struct Verbs {
    any: Option<CallFn>,
    each: Vec<(Method, CallFn)>,
}

/// Where a call goes.
pub(crate) enum Found {
    /// To a handler, with the captures of its pattern.
    Handler(CallFn, Vec<(String, String)>),
    /// Nowhere; this is answered.
    Nothing(Box<Response>),
}

impl Routes {
    /// Adds a handler for a method, and a verb where it is for one only.
    pub(crate) fn add(&mut self, method: &str, verb: Option<Method>, handler: CallFn) -> Result<(), String> {
        let pattern = Pattern::parse(method)?;
        let verbs = match pattern.literal() {
            Some(literal) => self.exact.entry(literal).or_default(),
            None => self.pattern(pattern),
        };
        let taken = match &verb {
            None => verbs.any.replace(handler).is_some(),
            Some(verb) => {
                let taken = verbs.each.iter().any(|(other, _)| other == verb);
                verbs.each.push((verb.clone(), handler));
                taken
            }
        };
        if taken {
            let verb = verb.map_or_else(|| "any verb".to_owned(), |verb| verb.to_string());
            return Err(format!("the method {method:?} has two handlers for {verb}"));
        }
        Ok(())
    }

    fn pattern(&mut self, pattern: Pattern) -> &mut Verbs {
        let at = match self
            .patterns
            .iter()
            .position(|(other, _)| other.same_paths(&pattern))
        {
            Some(at) => at,
            None => {
                let at = self
                    .patterns
                    .partition_point(|(other, _)| other.rank() <= pattern.rank());
                self.patterns.insert(at, (pattern, Verbs::default()));
                at
            }
        };
        &mut self.patterns[at].1
    }

    /// Whether there is any method.
    pub(crate) fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.patterns.is_empty()
    }

    /// Whether there is a method of exactly this name.
    pub(crate) fn has(&self, method: &str) -> bool {
        self.exact.contains_key(method)
    }

    /// Finds the handler of a call.
    pub(crate) fn find(&self, verb: &Method, path: &str) -> Found {
        let path = path.trim_matches('/');
        let plain = if path.contains('%') {
            None
        } else {
            self.exact.get(path)
        };
        let segments: Vec<String> = match plain {
            Some(_) => Vec::new(),
            None => path.split('/').map(|segment| decode(segment, false)).collect(),
        };
        let exact = plain.or_else(|| self.exact.get(&segments.join("/")));
        let with_captures = || {
            let mut all = self.patterns.iter();
            all.find_map(|(pattern, verbs)| Some((verbs, pattern.captures(&segments)?)))
        };
        match exact.map(|verbs| (verbs, Vec::new())).or_else(with_captures) {
            None => Found::Nothing(Box::new(
                Error::not_found(format!("this app has no method {path:?}")).into_response(),
            )),
            Some((verbs, captures)) => match verbs.find(verb) {
                Some(handler) => Found::Handler(handler, captures),
                None => Found::Nothing(Box::new(verbs.not_allowed(verb, path))),
            },
        }
    }
}

impl Verbs {
    fn find(&self, verb: &Method) -> Option<CallFn> {
        let own = self.each.iter().find(|(other, _)| other == verb);
        own.map(|(_, handler)| handler).or(self.any.as_ref()).cloned()
    }

    fn not_allowed(&self, verb: &Method, path: &str) -> Response {
        let message = format!("the method {path:?} does not take {verb}");
        let error = Error::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message);
        let mut response = error.into_response();
        let verbs: Vec<&str> = self.each.iter().map(|(verb, _)| verb.as_str()).collect();
        if let Ok(verbs) = HeaderValue::from_str(&verbs.join(", ")) {
            response.headers_mut().insert(ALLOW, verbs);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handler::call_fn;

    fn named(name: &'static str) -> CallFn {
        call_fn(move || async move { name })
    }

    async fn answer(routes: &Routes, verb: Method, path: &str) -> (u16, String, Vec<(String, String)>) {
        let (response, captures) = match routes.find(&verb, path) {
            Found::Handler(handler, captures) => (handler(crate::Request::default()).await, captures),
            Found::Nothing(response) => (*response, Vec::new()),
        };
        let status = response.status().as_u16();
        let body = response.into_body().collect(1000).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap(), captures)
    }

    fn routes() -> Routes {
        let mut routes = Routes::default();
        for (method, verb) in [
            ("orders", None),
            ("orders/{id}", Some(Method::GET)),
            ("orders/{id}", Some(Method::DELETE)),
            ("orders/new", Some(Method::GET)),
            ("files/{*path}", None),
        ] {
            let name = format!("{method} {verb:?}").leak();
            routes.add(method, verb, named(name)).unwrap();
        }
        routes
    }

    #[tokio::test]
    async fn literals_come_before_captures_and_captures_before_tails() {
        let routes = routes();
        assert_eq!(answer(&routes, Method::PATCH, "/orders/").await.1, "orders None");
        assert_eq!(
            answer(&routes, Method::GET, "/orders/new").await.1,
            "orders/new Some(GET)"
        );
        let (_, name, captures) = answer(&routes, Method::DELETE, "/orders/a%2Fb").await;
        assert_eq!(name, "orders/{id} Some(DELETE)");
        assert_eq!(captures, [("id".to_owned(), "a/b".to_owned())]);
        let (_, _, captures) = answer(&routes, Method::GET, "/files/a/b.txt").await;
        assert_eq!(captures, [("path".to_owned(), "a/b.txt".to_owned())]);
    }

    #[tokio::test]
    async fn what_is_not_there_is_said() {
        let routes = routes();
        let (status, body, _) = answer(&routes, Method::GET, "/nothing").await;
        assert_eq!(status, 404);
        assert_eq!(
            body,
            r#"{"errorCode":"NOT_FOUND","message":"this app has no method \"nothing\""}"#
        );
        let Found::Nothing(response) = routes.find(&Method::PUT, "/orders/1") else {
            panic!("found")
        };
        assert_eq!(response.status(), 405);
        assert_eq!(response.headers()["allow"], "GET, DELETE");
    }

    #[test]
    fn a_method_has_one_handler_for_a_verb() {
        let mut routes = routes();
        let error = routes
            .add("/orders/{other}", Some(Method::GET), named("x"))
            .unwrap_err();
        assert_eq!(error, "the method \"/orders/{other}\" has two handlers for GET");
        assert!(routes.add("a/{b", None, named("x")).unwrap_err().contains("a/{b"));
        assert!(routes.add("a/{*b}/c", None, named("x")).is_err());
    }
}
