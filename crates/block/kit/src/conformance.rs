//! What the conformance suites of all blocks are made of: named rules, and a report of those that failed.
//!
//! A rule is an async function over a subject (the component under test and its traits). It answers with a [`Failure`]
//! instead of panicking, so that one run tells of every rule that is broken.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    time::{Duration, Instant},
};

/// Longest time that one rule may take; a rule that waits for ever is a broken rule too.
const RULE_DEADLINE: Duration = Duration::from_secs(60);
/// Pause between two looks at a condition that is waited for.
const POLL_PAUSE: Duration = Duration::from_millis(20);

/// How a rule is broken, in one sentence.
pub struct Failure(String);

impl Failure {
    /// A failure described by `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: std::error::Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(format!("unexpected error: {}", outrigger_base_std::chain(&error)))
    }
}

/// What a rule answers.
pub type Outcome = Result<(), Failure>;

/// A rule at work.
pub type RuleFuture<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// One rule about subjects of type `S`.
pub struct Rule<S> {
    /// What must hold, as the name of the function that checks it.
    pub name: &'static str,
    /// The check.
    pub check: for<'a> fn(&'a S) -> RuleFuture<'a>,
}

impl<S> fmt::Debug for Rule<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rule").field(&self.name).finish()
    }
}

/// The rules that a component broke. Never empty; `Debug` is made to be read in a test's output.
pub struct Report {
    broken: Vec<(&'static str, Failure)>,
    total: usize,
}

impl Report {
    /// The names of the broken rules.
    pub fn broken(&self) -> impl Iterator<Item = &'static str> {
        self.broken.iter().map(|(name, _)| *name)
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} of {} rules are broken:", self.broken.len(), self.total)?;
        for (name, failure) in &self.broken {
            writeln!(f, "  {name}: {failure:?}")?;
        }
        Ok(())
    }
}

/// Checks every rule in order, broken ones or not before it.
///
/// # Errors
///
/// The report of all rules that are broken or took longer than a minute.
pub async fn check_all<S: Sync>(rules: &[Rule<S>], subject: &S) -> Result<(), Report> {
    let mut broken = Vec::new();
    for rule in rules {
        let outcome = tokio::time::timeout(RULE_DEADLINE, (rule.check)(subject)).await;
        let outcome =
            outcome.unwrap_or_else(|_| Err(Failure::new(format!("did not end within {RULE_DEADLINE:?}"))));
        if let Err(failure) = outcome {
            broken.push((rule.name, failure));
        }
    }
    if broken.is_empty() {
        return Ok(());
    }
    Err(Report {
        broken,
        total: rules.len(),
    })
}

/// Looks at `condition` until it holds.
///
/// # Errors
///
/// A failure that names `what` when it does not hold within `limit`, and any failure of the condition itself.
pub async fn eventually<F>(what: &str, limit: Duration, mut condition: impl FnMut() -> F) -> Outcome
where
    F: Future<Output = Result<bool, Failure>>,
{
    let start = Instant::now();
    while !condition().await? {
        if start.elapsed() > limit {
            return Err(Failure::new(format!("not within {limit:?}: {what}")));
        }
        tokio::time::sleep(POLL_PAUSE).await;
    }
    Ok(())
}

/// Ends the rule with a failure when the condition does not hold.
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $($text:tt)+) => {
        if !$condition {
            return Err($crate::conformance::Failure::new(format!($($text)+)));
        }
    };
}

/// Ends the rule with a failure that shows both sides when they differ.
#[macro_export]
macro_rules! ensure_eq {
    ($found:expr, $expected:expr, $($text:tt)+) => {{
        let (found, expected) = (&$found, &$expected);
        if found != expected {
            let what = format!($($text)+);
            return Err($crate::conformance::Failure::new(format!(
                "{what}: expected {expected:?}, found {found:?}"
            )));
        }
    }};
}

/// The list of rules that check the named functions, each `async fn(&Subject) -> Outcome`.
#[macro_export]
macro_rules! rules {
    ($($check:path),* $(,)?) => {
        &[$($crate::conformance::Rule { name: stringify!($check), check: |subject| Box::pin($check(subject)) }),*]
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn holds(subject: &u8) -> Outcome {
        ensure!(*subject > 0, "it is {subject}");
        Ok(())
    }

    async fn is_two(subject: &u8) -> Outcome {
        ensure_eq!(*subject, 2, "the number");
        Ok(())
    }

    async fn hangs(_: &u8) -> Outcome {
        std::future::pending().await
    }

    const RULES: &[Rule<u8>] = rules![holds, is_two, hangs];

    #[tokio::test(start_paused = true)]
    async fn a_report_names_every_broken_rule() {
        assert!(check_all(&RULES[..2], &2).await.is_ok());
        let report = check_all(RULES, &1).await.unwrap_err();
        assert_eq!(report.broken().collect::<Vec<_>>(), ["is_two", "hangs"]);
        let text = format!("{report:?}");
        assert!(text.starts_with("2 of 3 rules are broken:\n"), "{text}");
        assert!(text.contains("is_two: the number: expected 2, found 1"), "{text}");
        assert!(text.contains("hangs: did not end within 60s"), "{text}");
    }

    #[tokio::test]
    async fn a_condition_is_waited_for() {
        let mut looks = 0;
        let outcome = eventually("three looks", Duration::from_secs(5), || {
            looks += 1;
            std::future::ready(Ok(looks == 3))
        });
        assert!(outcome.await.is_ok());
        let failure = eventually("never", Duration::ZERO, || std::future::ready(Ok(false)))
            .await
            .unwrap_err();
        assert_eq!(format!("{failure:?}"), "not within 0ns: never");
    }
}
