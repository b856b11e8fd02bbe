//! `spec.workflow`: how many workflows and activities run at once, and how long ended ones are kept.

use std::time::Duration;

/// `spec.workflow`. A limit that is missing, zero or negative is no limit and is `None` here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Workflow {
    /// Workflow turns at once in this runtime.
    pub max_concurrent_workflows: Option<u32>,
    /// Activities at once in this runtime.
    pub max_concurrent_activities: Option<u32>,
    /// Workflow turns at once over all replicas of the app.
    pub global_max_concurrent_workflows: Option<u32>,
    /// Activities at once over all replicas of the app.
    pub global_max_concurrent_activities: Option<u32>,
    /// Limits over all replicas, by workflow name.
    pub workflow_limits: Vec<ConcurrencyLimit>,
    /// Limits over all replicas, by activity name.
    pub activity_limits: Vec<ConcurrencyLimit>,
    /// How long ended workflows are kept; `None` is for ever.
    pub state_retention: Option<StateRetention>,
}

/// A limit for one name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConcurrencyLimit {
    /// The workflow's or activity's name.
    pub name: String,
    /// How many run at once.
    pub max_concurrent: u32,
}

/// How long ended workflows are kept; a specific state beats `any_terminal`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StateRetention {
    /// For every end.
    pub any_terminal: Option<Duration>,
    /// For completed ones.
    pub completed: Option<Duration>,
    /// For failed ones.
    pub failed: Option<Duration>,
    /// For terminated ones.
    pub terminated: Option<Duration>,
}
