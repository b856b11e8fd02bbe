//! The suite that every secret store must pass: components.md §4 "secretstores".
//!
//! A test prepares a store that holds `conftestsecret` = `abcd` and `secondsecret` = `efgh`, opens it, and calls [`run`]
//! with the [`Traits`] that say which parts apply.

use std::sync::Arc;

pub use outrigger_block_kit::conformance::{Failure, Outcome, Report, Rule};
use outrigger_block_kit::{conformance::check_all, ensure, ensure_eq, rules};

use crate::{Error, Metadata, SecretStore, Secrets};

/// The secrets that the store must hold, with their texts.
pub const SECRETS: [(&str, &str); 2] = [("conftestsecret", "abcd"), ("secondsecret", "efgh")];
/// A secret that the store must not hold.
const MISSING: &str = "conftestmissing";

/// Which parts of the suite apply to a store.
#[derive(Debug, Clone, Copy)]
pub struct Traits {
    /// A secret may have several keys.
    pub multiple_keys: bool,
    /// A secret that is not there is an error; otherwise an empty text.
    pub missing_is_an_error: bool,
}

/// A store under test.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The store.
    pub store: Arc<dyn SecretStore>,
    /// Which parts apply.
    pub traits: Traits,
}

/// Every rule, in the order in which they are checked. The last one closes the store.
pub const RULES: &[Rule<Subject>] = rules![
    declares_what_it_has,
    a_secret_is_read_alone,
    a_missing_secret_is_told,
    bulk_get_lists_every_secret,
    no_secret_shows_in_debug,
    close_ends,
];

/// Checks every rule.
///
/// # Errors
///
/// The report of all rules that are broken.
pub async fn run(store: Arc<dyn SecretStore>, traits: Traits) -> Result<(), Report> {
    check_all(RULES, &Subject { store, traits }).await
}

/// Several keys are declared exactly where the traits say so.
pub async fn declares_what_it_has(subject: &Subject) -> Outcome {
    ensure_eq!(
        subject.store.multiple_keys(),
        subject.traits.multiple_keys,
        "multiple keys"
    );
    Ok(())
}

/// One secret is answered with exactly its own key and text.
pub async fn a_secret_is_read_alone(subject: &Subject) -> Outcome {
    for (name, text) in SECRETS {
        let found = subject.store.get(name, &Metadata::new()).await?;
        ensure!(
            is(&found, name, text),
            "secret {name:?} has keys {:?} or another text",
            found.keys()
        );
    }
    Ok(())
}

/// A secret that is not there is an error that names it, or an empty text under its name.
pub async fn a_missing_secret_is_told(subject: &Subject) -> Outcome {
    let result = subject.store.get(MISSING, &Metadata::new()).await;
    if subject.traits.missing_is_an_error {
        let named = matches!(&result, Err(Error::NotFound(name)) if name == MISSING);
        ensure!(named, "found {result:?}");
        return Ok(());
    }
    ensure!(
        is(&result?, MISSING, ""),
        "not one empty text under the secret's name"
    );
    Ok(())
}

/// The list holds every secret, each as it is read alone.
pub async fn bulk_get_lists_every_secret(subject: &Subject) -> Outcome {
    let all = subject.store.bulk_get(&Metadata::new()).await?;
    for (name, text) in SECRETS {
        let found = all.get(name);
        ensure!(
            found.is_some_and(|found| is(found, name, text)),
            "secret {name:?} is not listed as it is"
        );
    }
    Ok(())
}

/// Neither the store nor its answers print a secret.
pub async fn no_secret_shows_in_debug(subject: &Subject) -> Outcome {
    let all = subject.store.bulk_get(&Metadata::new()).await?;
    let printed = format!("{:?} {all:?}", subject.store);
    for (name, text) in SECRETS {
        ensure!(!printed.contains(text), "the text of {name:?} is printed");
    }
    Ok(())
}

/// Closing twice is no error.
pub async fn close_ends(subject: &Subject) -> Outcome {
    subject.store.close().await;
    subject.store.close().await;
    Ok(())
}

fn is(found: &Secrets, name: &str, text: &str) -> bool {
    found.len() == 1 && found.get(name).is_some_and(|secret| secret.expose() == text)
}
