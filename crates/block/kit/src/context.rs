//! What a component may use of the runtime that carries it.

use std::{path::PathBuf, sync::Arc};

use outrigger_base_clock::{Clock, Entropy, SystemClock, SystemEntropy};
use outrigger_base_task::TaskSet;

/// The surroundings of one component instance.
#[derive(Debug, Clone)]
pub struct Context {
    /// The component's name (`metadata.name` of its manifest).
    pub name: Arc<str>,
    /// The app that this runtime belongs to.
    pub app_id: Arc<str>,
    /// The namespace of the app, where one is set.
    pub namespace: Option<Arc<str>>,
    /// Wall time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// Owner of every task that the component spawns; closed by the runtime after the component.
    pub tasks: TaskSet,
    /// Where a component of ours keeps files when its properties name no place.
    pub data_dir: PathBuf,
}

impl Context {
    /// A context for tests: system time and entropy, files in the temporary folder, tasks on the current runtime.
    pub fn for_test(name: &str) -> Self {
        Self {
            name: name.into(),
            app_id: "app".into(),
            namespace: None,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            tasks: TaskSet::new(name),
            data_dir: std::env::temp_dir(),
        }
    }
}
