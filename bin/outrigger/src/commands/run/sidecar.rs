//! The command line and the environment of a sidecar.

use std::{ffi::OsString, path::Path};

use outrigger_wire_names::{environment, flags};

use super::plan::{AppPlan, CHANNEL_ADDRESS};

/// The flags of the app's sidecar.
pub(super) fn args(plan: &AppPlan, json: bool) -> Vec<OsString> {
    let mut args = Args(Vec::new());
    let shared = &plan.shared;
    args.flag(flags::APP_ID, &plan.app_id);
    args.number(flags::DAPR_HTTP_PORT, Some(plan.http_port));
    args.number(flags::DAPR_GRPC_PORT, Some(plan.grpc_port));
    args.number(flags::METRICS_PORT, Some(plan.metrics_port));
    args.number(flags::DAPR_INTERNAL_GRPC_PORT, plan.internal_port);
    args.number(flags::PROFILE_PORT, plan.profile_port);
    args.number(flags::APP_PORT, plan.app_port);
    args.flag(flags::APP_PROTOCOL, &plan.app_protocol);
    if plan.channel_address != CHANNEL_ADDRESS {
        args.flag(flags::APP_CHANNEL_ADDRESS, &plan.channel_address);
    }
    for folder in &plan.resources {
        args.path(flags::RESOURCES_PATH, Some(folder));
    }
    args.path(flags::CONFIG, plan.config.as_deref());
    args.path(flags::UNIX_DOMAIN_SOCKET, plan.unix_domain_socket.as_deref());
    args.text(flags::DAPR_LISTEN_ADDRESSES, shared.listen_addresses.as_deref());
    args.text(flags::LOG_LEVEL, shared.log_level.as_deref());
    args.text(flags::PLACEMENT_HOST_ADDRESS, shared.placement.as_deref());
    args.text(flags::SCHEDULER_HOST_ADDRESS, shared.scheduler.as_deref());
    args.text(flags::MAX_BODY_SIZE, shared.max_body_size.as_deref());
    args.text(flags::READ_BUFFER_SIZE, shared.read_buffer_size.as_deref());
    args.text(flags::APP_HEALTH_CHECK_PATH, shared.app_health_path.as_deref());
    let positive = |number: Option<i64>| number.filter(|number| *number > 0);
    args.number(flags::APP_MAX_CONCURRENCY, positive(shared.max_concurrency));
    args.number(
        flags::APP_HEALTH_PROBE_INTERVAL,
        positive(shared.app_health_interval),
    );
    args.number(
        flags::APP_HEALTH_PROBE_TIMEOUT,
        positive(shared.app_health_timeout),
    );
    args.number(flags::APP_HEALTH_THRESHOLD, positive(shared.app_health_threshold));
    args.switch(flags::APP_SSL, shared.app_ssl);
    args.switch(flags::ENABLE_PROFILING, shared.enable_profiling);
    args.switch(flags::ENABLE_APP_HEALTH_CHECK, shared.enable_app_health);
    args.switch(flags::ENABLE_API_LOGGING, shared.enable_api_logging);
    args.switch(flags::LOG_AS_JSON, json.then_some(true));
    args.0
}

/// What is added to the environment of the sidecar. Sidecars that are started together stay on this machine.
pub(super) fn environment(data: &Path, together: bool) -> Vec<(&'static str, OsString)> {
    let mut added = vec![(environment::OUTRIGGER_HOME, data.as_os_str().to_owned())];
    if together && std::env::var_os(environment::DAPR_HOST_IP).is_none() {
        added.push((environment::DAPR_HOST_IP, CHANNEL_ADDRESS.into()));
    }
    added
}

struct Args(Vec<OsString>);

impl Args {
    fn flag(&mut self, name: &str, value: impl Into<OsString>) {
        self.0.push(format!("--{name}").into());
        self.0.push(value.into());
    }

    fn text(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.flag(name, value);
        }
    }

    fn path(&mut self, name: &str, value: Option<&Path>) {
        if let Some(value) = value {
            self.flag(name, value);
        }
    }

    fn number(&mut self, name: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.flag(name, value.to_string());
        }
    }

    /// A switch that was set, either way.
    fn switch(&mut self, name: &str, value: Option<bool>) {
        match value {
            Some(true) => self.0.push(format!("--{name}").into()),
            Some(false) => self.0.push(format!("--{name}=false").into()),
            None => {}
        }
    }
}
