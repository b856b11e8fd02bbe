//! What goes wrong when rules are compiled or an event is routed.

/// Why a rule cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("rule {number} is not usable: the match expression {expression:?} {problem}")]
pub struct CompileError {
    /// The rule's number, from 1.
    pub number: usize,
    /// Its expression, cut if it is very long.
    pub expression: String,
    /// What is wrong with it, as the end of a sentence.
    pub problem: String,
}

/// Why no route was found for an event that should have one or be dropped knowingly.
///
/// None of these is worth a retry with the same event and rules. Dapr hands the event to the dead-letter topic if
/// there is one, and back to the broker otherwise.
#[derive(Debug, thiserror::Error)]
pub enum RouteError {
    /// An expression could not be evaluated on this event.
    #[error("could not evaluate the match expression {expression}: {problem}")]
    Evaluation {
        /// The expression.
        expression: String,
        /// What is wrong. It may name fields of the event, and is cut so that it cannot repeat much of it.
        problem: String,
    },
    /// An expression gave something else than true or false.
    #[error("the result of match expression {expression} was not a boolean")]
    NotBoolean {
        /// The expression.
        expression: String,
    },
    /// The event could not be read.
    #[error("could not read the event to match it")]
    Event(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl RouteError {
    /// Whether the same event may take a route later, with the same rules: never.
    pub fn retryable(&self) -> bool {
        false
    }
}

/// Longest part of a text that an error repeats, in characters.
const MAX_SHOWN_CHARS: usize = 200;

/// The beginning of a text, with a mark if that is not all of it.
pub(crate) fn shown(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN_CHARS) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}…", &text[..at]),
    }
}
