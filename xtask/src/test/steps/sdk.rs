//! The tests of the published SDKs of Dapr, each with its own runner and its folder under `tests/sdk`.

use super::super::child::Job;
use super::super::needs;
use super::super::python;
use super::{Step, closing, of_program};

/// How long an SDK's tests may take, in minutes.
const SDK_MINUTES: u64 = 15;

/// Each with the name of its folder.
pub(super) fn steps() -> [(&'static str, Step); 4] {
    [("python", python()), ("js", js()), ("go", go()), ("rust", rust())]
}

fn python() -> Step {
    Step::new("sdk-python", "Dapr's Python SDK", SDK_MINUTES, |lab| {
        let args = ["-m", "pytest", "-q", "-p", "no:cacheprovider"];
        let pytest = Job::new(python::interpreter(lab), &args, lab.sdk("python"));
        vec![of_program(lab, pytest.env("PYTHONDONTWRITEBYTECODE", "1")).closing(closing::pytest)]
    })
    .needs([&needs::PYTHON, &needs::PYTHON_PACKAGES])
    .tests_program()
}

fn js() -> Step {
    Step::new("sdk-js", "Dapr's JavaScript SDK", SDK_MINUTES, |lab| {
        let node = Job::new("node", &["--test", "--test-reporter=tap"], lab.sdk("js"));
        vec![of_program(lab, node).closing(closing::node)]
    })
    .needs([&needs::NODE, &needs::NODE_PACKAGES])
    .tests_program()
}

fn go() -> Step {
    Step::new("sdk-go", "Dapr's Go SDK", SDK_MINUTES, |lab| {
        let go = Job::new("go", &["test", "-count=1", "./..."], lab.sdk("go"));
        vec![of_program(lab, go).closing(closing::go)]
    })
    .needs([&needs::GO, &needs::GO_MODULES])
    .tests_program()
}

fn rust() -> Step {
    Step::new(
        "sdk-rust",
        "Dapr's Rust SDK, in its own workspace",
        SDK_MINUTES,
        |lab| {
            let target = lab.target.join("sdk-rust").display().to_string();
            let test = Job::new(
                &lab.cargo,
                &["test", "--locked", "--no-fail-fast"],
                lab.sdk("rust"),
            );
            vec![of_program(lab, test.env("CARGO_TARGET_DIR", target)).closing(closing::cargo)]
        },
    )
    .needs([&needs::COMPILER, &needs::KILL])
    .tests_program()
}
