//! Keys of the metadata that the commands set at a sidecar and read again (dapr-runtime.md §9).

/// Process of the command that started the sidecar.
pub const CLI_PID: &str = "cliPID";
/// Process of the app.
pub const APP_PID: &str = "appPID";
/// The app's command, words joined by spaces.
pub const APP_COMMAND: &str = "appCommand";
/// The run file, as an absolute path.
pub const RUN_TEMPLATE_PATH: &str = "runTemplatePath";
/// The name that the run file gives itself.
pub const RUN_TEMPLATE_NAME: &str = "runTemplateName";
/// The file that the app's output goes to.
pub const APP_LOG_PATH: &str = "appLogPath";
/// The file that the sidecar's log goes to.
pub const DAPRD_LOG_PATH: &str = "daprdLogPath";
