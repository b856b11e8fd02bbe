//! Who may publish and subscribe to what (dapr-runtime.md §3.3).

use std::collections::BTreeSet;

use outrigger_block_kit::Properties;

/// The topic rules of one broker component, seen from one app.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TopicScopes {
    /// Topics this app is scoped to; `None` when the component scopes nothing for it.
    publishing: Option<BTreeSet<String>>,
    subscribing: Option<BTreeSet<String>>,
    allowed: BTreeSet<String>,
    protected: BTreeSet<String>,
}

impl TopicScopes {
    /// Reads `publishingScopes`, `subscriptionScopes`, `allowedTopics` and `protectedTopics`.
    pub fn new(properties: &Properties, app_id: &str) -> Self {
        Self {
            publishing: scoped(properties.get("publishingScopes"), app_id),
            subscribing: scoped(properties.get("subscriptionScopes"), app_id),
            allowed: topics(properties.get("allowedTopics").unwrap_or_default()),
            protected: topics(properties.get("protectedTopics").unwrap_or_default()),
        }
    }

    /// Whether this app may publish to `topic`.
    pub fn may_publish(&self, topic: &str) -> bool {
        self.permits(self.publishing.as_ref(), topic)
    }

    /// Whether this app may subscribe to `topic`.
    pub fn may_subscribe(&self, topic: &str) -> bool {
        self.permits(self.subscribing.as_ref(), topic)
    }

    /// An allow list bounds everyone; a protected topic needs a scope that names it; a scope bounds the app it names.
    fn permits(&self, scope: Option<&BTreeSet<String>>, topic: &str) -> bool {
        if !self.allowed.is_empty() && !self.allowed.contains(topic) {
            return false;
        }
        match scope {
            Some(topics) => topics.contains(topic),
            None => !self.protected.contains(topic),
        }
    }
}

/// The topics of `app_id` in `app1=t1,t2;app2=`; `None` when the app is not named.
fn scoped(text: Option<&str>, app_id: &str) -> Option<BTreeSet<String>> {
    let entries = text?.split(';').filter_map(|entry| entry.split_once('='));
    let mut mine = entries
        .filter(|(app, _)| app.trim() == app_id)
        .map(|(_, list)| topics(list))
        .peekable();
    mine.peek()?;
    Some(mine.flatten().collect())
}

fn topics(list: &str) -> BTreeSet<String> {
    list.split(',')
        .map(str::trim)
        .filter(|topic| !topic.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(pairs: &[(&str, &str)]) -> TopicScopes {
        TopicScopes::new(&Properties::new(pairs.iter().copied()), "me")
    }

    #[test]
    fn without_rules_everything_is_open() {
        assert!(scopes(&[]).may_publish("t"));
        assert!(scopes(&[]).may_subscribe("t"));
    }

    #[test]
    fn a_scope_bounds_the_app_it_names() {
        let scopes = scopes(&[
            ("publishingScopes", "me=a, b;other=c"),
            ("subscriptionScopes", "me=;other=c"),
        ]);
        assert!(scopes.may_publish("a") && scopes.may_publish("b") && !scopes.may_publish("c"));
        assert!(!scopes.may_subscribe("c"));
    }

    #[test]
    fn protected_topics_need_a_scope_and_allowed_topics_bound_all() {
        let open = scopes(&[("protectedTopics", "p"), ("allowedTopics", "p,q")]);
        assert!(!open.may_publish("p") && open.may_publish("q") && !open.may_publish("r"));
        let scoped = scopes(&[("protectedTopics", "p"), ("publishingScopes", "me=p")]);
        assert!(scoped.may_publish("p") && !scoped.may_publish("q"));
    }
}
