//! What an app is told of its sidecar, in its environment.

use outrigger_wire_names::environment;

use super::plan::AppPlan;

/// The variables that are added to the app's environment: Dapr's, and then the user's, which win.
pub(super) fn of_app(plan: &AppPlan) -> Vec<(String, String)> {
    let mut added = vec![
        (environment::APP_ID, plan.app_id.clone()),
        (environment::APP_CHANNEL_ADDRESS, plan.channel_address.clone()),
        (environment::APP_PROTOCOL, protocol(plan)),
        (environment::DAPR_HTTP_PORT, plan.http_port.to_string()),
        (environment::DAPR_GRPC_PORT, plan.grpc_port.to_string()),
        (environment::DAPR_METRICS_PORT, plan.metrics_port.to_string()),
    ];
    added.extend(
        plan.app_port
            .map(|port| (environment::APP_PORT, port.to_string())),
    );
    added
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .chain(plan.env.clone())
        .collect()
}

/// What the app speaks, with the deprecated flag for TLS folded in.
fn protocol(plan: &AppPlan) -> String {
    match plan.app_protocol.as_str() {
        plain @ ("http" | "grpc") if plan.shared.app_ssl == Some(true) => format!("{plain}s"),
        protocol => protocol.to_owned(),
    }
}
