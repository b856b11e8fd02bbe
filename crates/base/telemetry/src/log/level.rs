//! Levels.

use std::str::FromStr;

/// How grave a line is, and from which gravity on lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For whoever looks for a mistake.
    Debug,
    /// What happens in normal operation.
    #[default]
    Info,
    /// Something to look at; all still works.
    Warn,
    /// Something did not work.
    Error,
    /// The process cannot go on.
    Fatal,
}

/// Why a level was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a log level: debug, info, warn, error or fatal")]
pub struct LevelError(pub String);

impl FromStr for Level {
    type Err = LevelError;

    /// Case does not matter.
    fn from_str(text: &str) -> Result<Self, LevelError> {
        Ok(match text.to_ascii_lowercase().as_str() {
            "debug" => Self::Debug,
            "info" => Self::Info,
            "warn" => Self::Warn,
            "error" => Self::Error,
            "fatal" => Self::Fatal,
            _ => return Err(LevelError(text.to_owned())),
        })
    }
}

impl Level {
    /// The word in a line. It differs from the option's in one case.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warning",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }

    /// The level of an event, unless it is a trace event: those have no counterpart and are never written.
    pub(super) fn of(level: tracing::Level) -> Option<Self> {
        match level {
            tracing::Level::TRACE => None,
            tracing::Level::DEBUG => Some(Self::Debug),
            tracing::Level::INFO => Some(Self::Info),
            tracing::Level::WARN => Some(Self::Warn),
            tracing::Level::ERROR => Some(Self::Error),
        }
    }

    /// The gravest `tracing` level that still holds lines of this one.
    pub(super) fn filter(self) -> tracing::level_filters::LevelFilter {
        use tracing::level_filters::LevelFilter;
        match self {
            Self::Debug => LevelFilter::DEBUG,
            Self::Info => LevelFilter::INFO,
            Self::Warn => LevelFilter::WARN,
            Self::Error | Self::Fatal => LevelFilter::ERROR,
        }
    }
}
