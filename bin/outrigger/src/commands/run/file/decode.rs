//! From the text of a run file to apps: fields, paths, and what apps have in common.

use std::path::{Path, PathBuf};

use outrigger_resource_manifest::{
    Origin,
    field::{Decoder, Field, Object},
    yaml::{self, Dialect, Document},
};

use crate::commands::{
    home::{CONFIG_FILE, DAPR_DIR, RESOURCES_DIR},
    run::settings::{App, Destination, Shared},
};

/// Fields of the file.
const ROOT: [&str; 4] = ["version", "name", "common", "apps"];
/// Fields of an app that may stand in `common` as well.
const SHARED: [&str; 24] = [
    "configFilePath",
    "resourcesPath",
    "resourcesPaths",
    "appProtocol",
    "apiListenAddresses",
    "enableProfiling",
    "logLevel",
    "appMaxConcurrency",
    "placementHostAddress",
    "schedulerHostAddress",
    "appSSL",
    "maxBodySize",
    "readBufferSize",
    "enableAppHealthCheck",
    "appHealthCheckPath",
    "appHealthProbeInterval",
    "appHealthProbeTimeout",
    "appHealthThreshold",
    "enableApiLogging",
    "runtimePath",
    "env",
    "daprdLogDestination",
    "appLogDestination",
    "componentspath",
];
/// Fields of an app alone. The container's are for Kubernetes and have no effect on one machine.
const ALONE: [&str; 14] = [
    "appID",
    "appDirPath",
    "appChannelAddress",
    "appPort",
    "daprHTTPPort",
    "daprGRPCPort",
    "daprInternalGRPCPort",
    "metricsPort",
    "profilePort",
    "unixDomainSocket",
    "command",
    "containerImage",
    "containerImagePullPolicy",
    "createService",
];
/// When an image is fetched, in Kubernetes.
const PULL_POLICIES: [&str; 3] = ["Always", "Never", "IfNotPresent"];

/// The name and the apps of a run file, or everything that is wrong with it. Relative paths of the file begin at its
/// folder, those of an app at the app's folder.
pub(super) fn decode(text: &str, file: &Path) -> Result<(String, Vec<App>), Vec<String>> {
    let mut documents = yaml::documents(text, Dialect::Plain);
    let place = file.display();
    if documents.len() > 1 {
        return Err(vec![format!(
            "{place}: found {} documents, expected one",
            documents.len()
        )]);
    }
    match documents.pop() {
        None => Err(vec![format!(
            "{place}: found nothing, expected a mapping with version: 1 and apps"
        )]),
        Some(Err(error)) => Err(vec![format!("{place}, document {}: {error}", error.document)]),
        Some(Ok(document)) => whole(&document, file),
    }
}

fn whole(document: &Document, file: &Path) -> Result<(String, Vec<App>), Vec<String>> {
    let decoder = Decoder::new(Origin::of_file(file.to_owned()), Dialect::Plain);
    decoder.repeated(&document.repeated_keys);
    let root = Field::root(&decoder, &document.root).object(&ROOT);
    version(&root.get("version"));
    let name = root.get("name").text_or_empty();
    let base = file.parent().unwrap_or_else(|| Path::new("/"));
    let common = root.get("common");
    let common = shared(&common.object(&SHARED), base);
    let apps = apps(&root.get("apps"), &common, base);
    let (errors, warnings) = decoder.finish();
    let problems: Vec<_> = errors
        .iter()
        .map(ToString::to_string)
        .chain(warnings.iter().map(ToString::to_string))
        .collect();
    if problems.is_empty() {
        Ok((name, apps))
    } else {
        Err(problems)
    }
}

fn version(field: &Field<'_>) {
    if !field.is_present() || field.text().is_some_and(|text| text != "1") {
        field.fail("1, the version of run files");
    }
}

fn apps(field: &Field<'_>, common: &Shared, base: &Path) -> Vec<App> {
    let list = field.list();
    if list.is_empty() {
        field.fail("a list with at least one app");
    }
    list.iter().map(|item| app(item, common, base)).collect()
}

fn app(field: &Field<'_>, common: &Shared, base: &Path) -> App {
    let known: Vec<_> = SHARED.iter().chain(&ALONE).copied().collect();
    let object = field.object(&known);
    let get = |name| object.get(name);
    let dir = get("appDirPath");
    if !dir.is_present() {
        dir.fail("the folder of the app");
    }
    let dir = existing(&dir, base);
    let inside = dir.as_deref().unwrap_or(base);
    let own = shared(&object, inside);
    containers(&object);
    App {
        app_id: get("appID")
            .some_text()
            .or_else(|| Some(inside.file_name()?.to_str()?.to_owned())),
        channel_address: get("appChannelAddress").some_text(),
        app_port: port(&get("appPort")),
        http_port: port(&get("daprHTTPPort")),
        grpc_port: port(&get("daprGRPCPort")),
        internal_port: port(&get("daprInternalGRPCPort")),
        metrics_port: port(&get("metricsPort")),
        profile_port: port(&get("profilePort")),
        unix_domain_socket: get("unixDomainSocket")
            .some_text()
            .map(|path| absolute(inside, &path)),
        command: get("command").string_list().into_iter().map(Into::into).collect(),
        shared: merged(own, common, inside),
        dir,
    }
}

/// An app's own settings over the common ones. Of resources and of the configuration, what lies in the app's folder
/// comes between the two.
fn merged(own: Shared, common: &Shared, dir: &Path) -> Shared {
    let mut shared = own.or(common);
    let (resources, config) = (
        dir.join(DAPR_DIR).join(RESOURCES_DIR),
        dir.join(DAPR_DIR).join(CONFIG_FILE),
    );
    if shared.resources.is_empty() {
        shared.resources = if resources.is_dir() {
            vec![resources]
        } else {
            common.resources.clone()
        };
    }
    if shared.config_file.is_none() {
        shared.config_file = Some(config)
            .filter(|file| file.is_file())
            .or_else(|| common.config_file.clone());
    }
    shared
}

fn shared(object: &Object<'_>, base: &Path) -> Shared {
    let get = |name| object.get(name);
    let mut resources: Vec<_> = get("resourcesPaths")
        .list()
        .iter()
        .filter_map(|item| existing(item, base))
        .collect();
    resources.extend(existing(&get("resourcesPath"), base));
    resources.extend(existing(&get("componentspath"), base));
    Shared {
        config_file: existing(&get("configFilePath"), base),
        resources,
        app_protocol: get("appProtocol").some_text(),
        listen_addresses: get("apiListenAddresses").some_text(),
        enable_profiling: get("enableProfiling").bool(),
        log_level: get("logLevel").some_text(),
        max_concurrency: number(&get("appMaxConcurrency")),
        placement: get("placementHostAddress").text(),
        scheduler: get("schedulerHostAddress").text(),
        app_ssl: get("appSSL").bool(),
        max_body_size: get("maxBodySize").some_text(),
        read_buffer_size: get("readBufferSize").some_text(),
        enable_app_health: get("enableAppHealthCheck").bool(),
        app_health_path: get("appHealthCheckPath").some_text(),
        app_health_interval: number(&get("appHealthProbeInterval")),
        app_health_timeout: number(&get("appHealthProbeTimeout")),
        app_health_threshold: number(&get("appHealthThreshold")),
        enable_api_logging: get("enableApiLogging").bool(),
        runtime_path: existing(&get("runtimePath"), base),
        env: get("env").string_map(),
        daprd_log: destination(&get("daprdLogDestination")),
        app_log: destination(&get("appLogDestination")),
    }
}

/// The settings of containers are checked even though they have no effect here, so that a file which is refused in
/// one place is refused in the other.
fn containers(object: &Object<'_>) {
    let policy = object.get("containerImagePullPolicy");
    if policy
        .some_text()
        .is_some_and(|text| !PULL_POLICIES.contains(&text.as_str()))
    {
        policy.fail(PULL_POLICIES.join(", "));
    }
    object.get("containerImage").text();
    object.get("createService").bool();
}

fn destination(field: &Field<'_>) -> Option<Destination> {
    let text = field.some_text()?;
    let found = Destination::NAMES.iter().find(|(name, _)| *name == text);
    if found.is_none() {
        field.fail("file, console or fileAndConsole");
    }
    found.map(|(_, destination)| *destination)
}

fn number(field: &Field<'_>) -> Option<i64> {
    field.int(i64::from(i32::MIN), i64::from(i32::MAX))
}

/// A port; 0 and -1 are those of Dapr's CLI for a free one.
fn port(field: &Field<'_>) -> Option<u16> {
    field
        .int(-1, i64::from(u16::MAX))
        .and_then(|number| u16::try_from(number).ok())
        .filter(|port| *port != 0)
}

/// A path at which something is.
fn existing(field: &Field<'_>, base: &Path) -> Option<PathBuf> {
    let path = absolute(base, &field.some_text()?);
    if !path.exists() {
        field.fail(format!("a path that exists; there is no {}", path.display()));
        return None;
    }
    // What is there may be a link to elsewhere; what was written is what people know it by.
    Some(path)
}

/// A path of the file, which may begin with the home folder's sign, without needless dots.
fn absolute(base: &Path, text: &str) -> PathBuf {
    use std::path::Component;
    let from_home = text.strip_prefix("~/").or_else(|| (text == "~").then_some(""));
    let path = match (from_home, std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => base.join(text),
    };
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean
}
