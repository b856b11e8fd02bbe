//! Reads `spec.workflow`.

use super::field::{Field, Object};
use crate::configuration::{ConcurrencyLimit, StateRetention, Workflow};

pub(super) fn workflow(field: &Field<'_>) -> Workflow {
    let object = field.object(&[
        "maxConcurrentWorkflowInvocations",
        "maxConcurrentActivityInvocations",
        "globalMaxConcurrentWorkflowInvocations",
        "globalMaxConcurrentActivityInvocations",
        "workflowConcurrencyLimits",
        "activityConcurrencyLimits",
        "stateRetentionPolicy",
    ]);
    Workflow {
        max_concurrent_workflows: limit(&object, "maxConcurrentWorkflowInvocations"),
        max_concurrent_activities: limit(&object, "maxConcurrentActivityInvocations"),
        global_max_concurrent_workflows: limit(&object, "globalMaxConcurrentWorkflowInvocations"),
        global_max_concurrent_activities: limit(&object, "globalMaxConcurrentActivityInvocations"),
        workflow_limits: named_limits(&object.get("workflowConcurrencyLimits")),
        activity_limits: named_limits(&object.get("activityConcurrencyLimits")),
        state_retention: state_retention(&object.get("stateRetentionPolicy")),
    }
}

/// A limit; zero and negative numbers are none.
fn limit(object: &Object<'_>, name: &'static str) -> Option<u32> {
    object
        .get(name)
        .int(i32::MIN.into(), i32::MAX.into())
        .and_then(|number| u32::try_from(number).ok())
        .filter(|number| *number > 0)
}

fn named_limits(field: &Field<'_>) -> Vec<ConcurrencyLimit> {
    let mut limits = Vec::new();
    for field in field.list() {
        let object = field.object(&["name", "maxConcurrent"]);
        let name = object.get("name").some_text();
        match (name, limit(&object, "maxConcurrent")) {
            (Some(name), Some(max_concurrent)) => limits.push(ConcurrencyLimit { name, max_concurrent }),
            _ => field.ignore("a name and a maxConcurrent above 0"),
        }
    }
    limits
}

fn state_retention(field: &Field<'_>) -> Option<StateRetention> {
    if !field.is_present() {
        return None;
    }
    let object = field.object(&["anyTerminal", "completed", "failed", "terminated"]);
    Some(StateRetention {
        any_terminal: object.get("anyTerminal").duration(),
        completed: object.get("completed").duration(),
        failed: object.get("failed").duration(),
        terminated: object.get("terminated").duration(),
    })
}
