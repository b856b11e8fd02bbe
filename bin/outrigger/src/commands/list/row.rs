//! One sidecar in the list: the keys are those of Dapr's CLI, which scripts read.

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};
use outrigger_wire_names::extended;
use serde::Serialize;
use serde_json::Value;

use crate::commands::{api::Metadata, process_table::Sidecar};

/// Characters of a command that the table shows.
const COMMAND_MAX_CHARS: usize = 20;
/// How a start is written, in local time. The dot is Dapr's.
const CREATED: &str = "%Y-%m-%d %H:%M.%S";

/// The headings of the table, in the order of [`Row::cells`].
pub(crate) const HEADINGS: [&str; 13] = [
    "APP ID",
    "HTTP PORT",
    "GRPC PORT",
    "APP PORT",
    "COMMAND",
    "AGE",
    "CREATED",
    "DAPRD PID",
    "CLI PID",
    "APP PID",
    "RUN_TEMPLATE_PATH",
    "APP_LOG_PATH",
    "DAPRD_LOG_PATH",
];

/// One sidecar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Row {
    pub(crate) app_id: String,
    pub(crate) http_port: u16,
    pub(crate) grpc_port: u16,
    pub(crate) app_port: u16,
    pub(crate) metrics_enabled: bool,
    pub(crate) command: String,
    pub(crate) age: String,
    pub(crate) created: String,
    pub(crate) daprd_pid: u32,
    pub(crate) cli_pid: u32,
    pub(crate) app_pid: u32,
    pub(crate) max_request_body_size: i64,
    pub(crate) http_read_buffer_size: i64,
    pub(crate) run_template_path: String,
    pub(crate) app_log_path: String,
    pub(crate) daprd_log_path: String,
    pub(crate) run_template_name: String,
}

impl Row {
    /// A sidecar of the process table with what it says of itself.
    pub(crate) fn new(sidecar: &Sidecar, metadata: &Metadata, now: Timestamp) -> Self {
        let text = |key| metadata.extended.get(key).cloned().unwrap_or_default();
        let pid = |key| text(key).parse().unwrap_or(0);
        Self {
            app_id: sidecar.app_id.clone(),
            http_port: sidecar.http_port,
            grpc_port: sidecar.grpc_port,
            app_port: sidecar.app_port,
            metrics_enabled: sidecar.metrics,
            command: text(extended::APP_COMMAND),
            age: sidecar.age.map(age).unwrap_or_default(),
            created: sidecar.age.map(|age| created(now, age)).unwrap_or_default(),
            daprd_pid: sidecar.pid,
            cli_pid: pid(extended::CLI_PID),
            app_pid: pid(extended::APP_PID),
            max_request_body_size: sidecar.max_body,
            http_read_buffer_size: sidecar.read_buffer,
            run_template_path: text(extended::RUN_TEMPLATE_PATH),
            app_log_path: text(extended::APP_LOG_PATH),
            daprd_log_path: text(extended::DAPRD_LOG_PATH),
            run_template_name: text(extended::RUN_TEMPLATE_NAME),
        }
    }

    /// The cells of the table.
    pub(crate) fn cells(&self) -> Vec<String> {
        vec![
            self.app_id.clone(),
            self.http_port.to_string(),
            self.grpc_port.to_string(),
            self.app_port.to_string(),
            shortened(&self.command),
            self.age.clone(),
            self.created.clone(),
            self.daprd_pid.to_string(),
            self.cli_pid.to_string(),
            self.app_pid.to_string(),
            self.run_template_path.clone(),
            self.app_log_path.clone(),
            self.daprd_log_path.clone(),
        ]
    }
}

/// Rows as YAML: a list of flat mappings. Texts stand in quotes, so that none is taken for anything else.
pub(crate) fn yaml(rows: &[Row]) -> Result<String, serde_json::Error> {
    let mut text = String::new();
    for row in rows {
        let Value::Object(fields) = serde_json::to_value(row)? else {
            continue;
        };
        for (index, (key, value)) in fields.iter().enumerate() {
            text.push_str(if index == 0 { "- " } else { "  " });
            text.push_str(&format!("{key}: {value}\n"));
        }
    }
    if rows.is_empty() {
        text.push_str("[]\n");
    }
    Ok(text)
}

fn shortened(command: &str) -> String {
    const CUT: &str = "...";
    if command.chars().count() <= COMMAND_MAX_CHARS {
        return command.to_owned();
    }
    command
        .chars()
        .take(COMMAND_MAX_CHARS - CUT.len())
        .chain(CUT.chars())
        .collect()
}

/// An age in its largest unit, as Dapr's CLI rounds it.
fn age(age: Duration) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    match age.as_secs() {
        seconds @ 0..=MINUTE => format!("{seconds}s"),
        seconds if seconds <= HOUR => format!("{}m", seconds / MINUTE),
        seconds if seconds <= DAY => format!("{}h", seconds / HOUR),
        seconds => format!("{}d", seconds / DAY),
    }
}

fn created(now: Timestamp, age: Duration) -> String {
    let started = now.checked_sub(age).unwrap_or(now);
    started.to_zoned(TimeZone::system()).strftime(CREATED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::api::Endpoint;

    fn row() -> Row {
        let sidecar = Sidecar {
            pid: 12,
            app_id: "orders".into(),
            http_port: 3500,
            grpc_port: 50001,
            app_port: 0,
            metrics: true,
            max_body: 4 << 20,
            read_buffer: 4096,
            endpoint: Endpoint::Port("127.0.0.1".into(), 3500),
            age: None,
        };
        let mut metadata = Metadata::default();
        for (key, value) in [
            ("cliPID", "10"),
            ("appPID", "what"),
            ("appCommand", "python3 app.py --a \"b\""),
            ("runTemplateName", "shop"),
        ] {
            metadata.extended.insert(key.into(), value.into());
        }
        Row::new(&sidecar, &metadata, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn json_has_daprs_keys() {
        insta::assert_snapshot!(serde_json::to_string_pretty(&[row()]).unwrap(), @r#"
        [
          {
            "appId": "orders",
            "httpPort": 3500,
            "grpcPort": 50001,
            "appPort": 0,
            "metricsEnabled": true,
            "command": "python3 app.py --a \"b\"",
            "age": "",
            "created": "",
            "daprdPid": 12,
            "cliPid": 10,
            "appPid": 0,
            "maxRequestBodySize": 4194304,
            "httpReadBufferSize": 4096,
            "runTemplatePath": "",
            "appLogPath": "",
            "daprdLogPath": "",
            "runTemplateName": "shop"
          }
        ]
        "#);
    }

    #[test]
    fn yaml_is_read_as_it_was_meant() {
        let text = yaml(&[row(), row()]).unwrap();
        assert!(
            text.starts_with("- appId: \"orders\"\n  httpPort: 3500\n"),
            "{text}"
        );
        assert!(
            text.contains("  command: \"python3 app.py --a \\\"b\\\"\"\n"),
            "{text}"
        );
        assert_eq!(text.matches("- appId").count(), 2);
        assert_eq!(yaml(&[]).unwrap(), "[]\n");
    }

    #[test]
    fn ages_have_one_unit() {
        let of = |seconds| age(Duration::from_secs(seconds));
        assert_eq!(
            [0, 60, 61, 3600, 3601, 86_400, 200_000].map(of),
            ["0s", "60s", "1m", "60m", "1h", "24h", "2d"]
        );
    }

    #[test]
    fn the_table_shortens_commands() {
        let cells = row().cells();
        assert_eq!(cells.len(), HEADINGS.len());
        assert_eq!(cells[4], "python3 app.py --...");
    }
}
