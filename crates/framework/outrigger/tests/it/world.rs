//! Apps in either mode, with folders of their own, so that tests do not meet.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use outrigger::{App, Handle, Mode, Running};
use outrigger_testing_harness::{Folder, Process, eventually};

/// Long enough for any sidecar on a busy machine.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// One test's surroundings.
pub(crate) struct World {
    pub(crate) mode: Mode,
    pub(crate) folder: Folder,
    number: usize,
}

/// A component: name, type, metadata.
type Component = (&'static str, &'static str, Vec<(&'static str, String)>);

/// What an app gets beside its handlers.
#[derive(Default)]
pub(crate) struct Gear {
    /// Components.
    pub(crate) components: Vec<Component>,
    /// Other resources, as YAML.
    pub(crate) manifests: String,
    /// The `spec` of a configuration, as YAML; empty for none.
    pub(crate) configuration: String,
    /// The environment of the app and of its sidecar.
    pub(crate) variables: Vec<(&'static str, String)>,
}

impl Gear {
    /// A state store and a broker in memory.
    pub(crate) fn in_memory() -> Self {
        Self {
            components: vec![
                ("statestore", "state.in-memory", Vec::new()),
                ("pubsub", "pubsub.in-memory", Vec::new()),
            ],
            ..Self::default()
        }
    }

    fn manifests(&self) -> String {
        let mut text = self.manifests.clone();
        for (name, kind, metadata) in &self.components {
            let entries: String = metadata
                .iter()
                .map(|(key, value)| format!("    - name: {key}\n      value: {value:?}\n"))
                .collect();
            text.push_str(&format!(
                "---\napiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\nspec:\n  type: {kind}\n  \
                 version: v1\n  metadata:\n{entries}",
            ));
        }
        text
    }
}

/// A started app with what it needs.
pub(crate) struct Started {
    pub(crate) id: String,
    pub(crate) running: Running,
    pub(crate) sidecar: Option<Process>,
}

impl Started {
    pub(crate) fn handle(&self) -> &Handle {
        self.running.handle()
    }

    /// Ends the app, then its sidecar.
    pub(crate) async fn end(self) {
        let late = self.running.shutdown().await;
        assert_eq!(late, Vec::<String>::new());
        if let Some(mut sidecar) = self.sidecar {
            sidecar.terminate(LONG).await.unwrap();
        }
    }
}

impl World {
    pub(crate) fn embedded() -> Self {
        Self::new(Mode::Embedded)
    }

    pub(crate) fn beside_sidecars() -> Self {
        Self::new(Mode::Sidecar)
    }

    fn new(mode: Mode) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        Self {
            mode,
            folder: Folder::new("framework").unwrap(),
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// An id that no other test has: sidecars hear each other by multicast.
    pub(crate) fn id(&self, name: &str) -> String {
        format!("{name}-{}-{}", std::process::id(), self.number)
    }

    /// Starts an app in this world's mode.
    pub(crate) async fn start(&self, name: &str, gear: Gear, make: impl FnOnce(App) -> App) -> Started {
        self.start_in(self.mode, name, gear, make).await
    }

    /// Starts an app in a mode of its own.
    pub(crate) async fn start_in(
        &self,
        mode: Mode,
        name: &str,
        gear: Gear,
        make: impl FnOnce(App) -> App,
    ) -> Started {
        let id = self.id(name);
        match mode {
            Mode::Embedded => {
                let mut app = make(self.app(&id, &gear.variables));
                if let Some(file) = self.configuration(&id, &gear) {
                    app = app.configuration(file);
                }
                if !gear.manifests.is_empty() {
                    let file = self.folder.file(&format!("{id}.yaml"));
                    std::fs::write(&file, &gear.manifests).unwrap();
                    app = app.resources(file);
                }
                let app = gear.components.iter().fold(app, |app, (name, kind, metadata)| {
                    app.component(
                        name,
                        kind,
                        metadata.iter().map(|(key, value)| (*key, value.as_str())),
                    )
                });
                let running = app
                    .start()
                    .await
                    .unwrap_or_else(|error| panic!("{}", chain(&error)));
                assert_eq!(running.mode(), Mode::Embedded);
                Started {
                    id,
                    running,
                    sidecar: None,
                }
            }
            Mode::Sidecar => self.start_beside(id, gear, make).await,
        }
    }

    /// The file of the configuration, where there is one.
    pub(crate) fn configuration(&self, id: &str, gear: &Gear) -> Option<PathBuf> {
        if gear.configuration.is_empty() {
            return None;
        }
        let file = self.folder.file(&format!("{id}-configuration.yaml"));
        let spec = &gear.configuration;
        let text = format!(
            "apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata:\n  name: own\nspec:\n{spec}"
        );
        std::fs::write(&file, text).unwrap();
        Some(file)
    }

    /// An app with the environment of this world.
    pub(crate) fn app(&self, id: &str, variables: &[(&'static str, String)]) -> App {
        let mut all: HashMap<String, String> = self.variables();
        all.extend(
            variables
                .iter()
                .map(|(key, value)| ((*key).to_owned(), value.clone())),
        );
        App::new(id)
            .environment(move |name| all.get(name).cloned())
            .internal("127.0.0.1:0".parse().unwrap())
            .multicast(false)
    }

    fn variables(&self) -> HashMap<String, String> {
        let path = |name: &str| self.folder.file(name).to_string_lossy().into_owned();
        HashMap::from([
            ("OUTRIGGER_RUN_DIR".to_owned(), path("run")),
            ("OUTRIGGER_HOME".to_owned(), path("home")),
            ("DAPR_HOST_IP".to_owned(), "127.0.0.1".to_owned()),
        ])
    }

    async fn start_beside(&self, id: String, gear: Gear, make: impl FnOnce(App) -> App) -> Started {
        let resources = self.folder.file(&format!("{id}-resources"));
        std::fs::create_dir_all(&resources).unwrap();
        std::fs::write(resources.join("components.yaml"), gear.manifests()).unwrap();
        let [app_port, http_port] = [(); 2].map(|()| quiet_port());
        let mut command = Command::new(program());
        command
            .arg("sidecar")
            .args(["--app-id", &id, "--app-port", &app_port.to_string()])
            .args(["--dapr-http-port", &http_port.to_string()])
            .args(["--dapr-grpc-port", "0"])
            .args(["--dapr-listen-addresses", "127.0.0.1"])
            .args(["--dapr-internal-grpc-listen-address", "127.0.0.1"])
            .args(["--enable-metrics=false", "--log-level", "debug"])
            .args(["--resources-path", &resources.to_string_lossy()])
            .envs(self.variables())
            .envs(gear.variables.iter().map(|(key, value)| (*key, value.as_str())));
        if let Some(file) = self.configuration(&id, &gear) {
            command.arg("--config").arg(file);
        }
        let sidecar = Process::spawn(&mut command, "outrigger").unwrap();
        let mut variables = gear.variables;
        variables.push(("DAPR_HTTP_PORT", http_port.to_string()));
        variables.push(("APP_PORT", app_port.to_string()));
        let app = make(self.app(&id, &variables));
        let running = app
            .start()
            .await
            .unwrap_or_else(|error| panic!("{}\n{}", chain(&error), sidecar.lines().join("\n")));
        assert_eq!(running.mode(), Mode::Sidecar);
        // The sidecar is ready once it has seen the app and its subscriptions stand.
        let client = client(&variables);
        eventually(LONG, || client.check_health()).await;
        Started {
            id,
            running,
            sidecar: Some(sidecar),
        }
    }
}

/// A client of the sidecar that variables name.
pub(crate) fn client(variables: &[(&'static str, String)]) -> outrigger::Client {
    outrigger::Client::from_lookup(|name| {
        let found = variables.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| value.clone())
    })
    .unwrap()
}

/// A free port below those that the system gives out by itself, for connections as for port 0: nobody takes it in the time
/// until the sidecar or the app listens on it.
fn quiet_port() -> u16 {
    const FIRST: usize = 20_000;
    const COUNT: usize = 12_000;
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    // Test binaries that run at the same time begin elsewhere.
    let start = std::process::id() as usize * 97;
    loop {
        let port = FIRST + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
        let port = u16::try_from(port).unwrap();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// The program that is the sidecar.
fn program() -> PathBuf {
    let Some(path) = std::env::var_os("OUTRIGGER_BIN") else {
        panic!(
            "OUTRIGGER_BIN is not set: the tests beside a sidecar need the program. Build it with \
             `cargo build -p outrigger-cli` and set OUTRIGGER_BIN to the binary `outrigger`"
        );
    };
    let path = PathBuf::from(path);
    assert!(
        path.is_file(),
        "OUTRIGGER_BIN names {}, which is no file",
        path.display()
    );
    path
}

/// An error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}
