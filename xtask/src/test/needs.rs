//! What steps need on the machine: looked for, named when missing, installed when asked.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

use super::child::{self, Job};
use super::lab::Lab;
use super::python;
use super::steps::Step;

/// How long an installation may take: a package manager on a slow line.
const INSTALL_MAX: Duration = Duration::from_secs(15 * 60);

/// Something that must be there before a step can run.
#[derive(Debug)]
pub(crate) struct Need {
    /// What it is, as it is named when missing.
    pub(crate) what: &'static str,
    /// Looks for it.
    present: fn(&Lab) -> bool,
    /// Brings it.
    cure: Cure,
}

/// How a need is met.
#[derive(Debug)]
enum Cure {
    /// By Debian's packages of these names: those of Debian 13 are new enough.
    Debian(&'static [&'static str]),
    /// By these commands.
    Commands(fn(&Lab) -> Vec<Job>),
    /// By the user alone: what to do.
    User(&'static str),
}

pub(crate) static ROOT: Need = Need {
    what: "root: tests make network and mount namespaces of their own",
    present: |_| fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0),
    cure: Cure::User("run the command as root (for example: sudo -E env PATH=\"$PATH\" cargo xtask test)"),
};
pub(crate) static NAMESPACES: Need = Need {
    what: "the right to make namespaces (CAP_SYS_ADMIN)",
    present: |lab| {
        let tried = "ip netns add needs-$$ && ip netns delete needs-$$";
        // Without ip, that is what is missing.
        !(IP.present)(lab) || runs(lab, "sh", &["-c", tried])
    },
    cure: Cure::User("in a container: start it with --privileged"),
};
pub(crate) static COMPILER: Need = Need {
    what: "cc and make: SQLite, the crypto library and the allocator are C",
    present: |lab| runs(lab, "cc", &["--version"]) && runs(lab, "make", &["--version"]),
    cure: Cure::Debian(&["gcc", "libc6-dev", "make"]),
};
pub(crate) static GIT: Need = Need {
    what: "git: tidy lists the files through it",
    present: |lab| runs(lab, "git", &["--version"]),
    cure: Cure::Debian(&["git"]),
};
pub(crate) static RUSTFMT: Need = Need {
    what: "rustfmt",
    present: |lab| runs(lab, "cargo", &["fmt", "--version"]),
    cure: Cure::Commands(|lab| vec![rust_component(lab, "rustfmt")]),
};
pub(crate) static CLIPPY: Need = Need {
    what: "clippy",
    present: |lab| runs(lab, "cargo", &["clippy", "--version"]),
    cure: Cure::Commands(|lab| vec![rust_component(lab, "clippy")]),
};
pub(crate) static REDIS: Need = Need {
    what: "redis-server 7 or newer",
    present: |lab| {
        let is_new = "redis-server --version | grep -Eq 'v=([7-9]|[1-9][0-9])\\.'";
        runs(lab, "sh", &["-c", is_new])
    },
    cure: Cure::Debian(&["redis-server"]),
};
pub(crate) static IP: Need = Need {
    what: "ip, for network namespaces",
    present: |lab| runs(lab, "ip", &["-V"]),
    cure: Cure::Debian(&["iproute2"]),
};
pub(crate) static CURL: Need = Need {
    what: "curl, with which the apps of tests call their sidecars",
    present: |lab| runs(lab, "curl", &["--version"]),
    cure: Cure::Debian(&["curl"]),
};
pub(crate) static KILL: Need = Need {
    what: "kill, as a program of its own",
    present: |lab| runs(lab, "kill", &["-l"]),
    cure: Cure::Debian(&["procps"]),
};
pub(crate) static OPENSSL: Need = Need {
    what: "openssl, which makes the certificates of tests",
    present: |lab| runs(lab, "openssl", &["version"]),
    cure: Cure::Debian(&["openssl"]),
};
pub(crate) static PYTHON: Need = Need {
    what: "python3 with venv",
    present: |lab| runs(lab, "python3", &["-c", "import ensurepip, venv"]),
    cure: Cure::Debian(&["python3", "python3-venv"]),
};
pub(crate) static PYTHON_PACKAGES: Need = Need {
    what: "the Python packages of tests/sdk/python/requirements.txt, in a venv under the target folder",
    present: python::is_ready,
    cure: Cure::Commands(python::install),
};
pub(crate) static NODE: Need = Need {
    what: "node 20 or newer, and npm (Debian 12 has an older one)",
    present: |lab| {
        let is_new = "process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)";
        runs(lab, "node", &["-e", is_new]) && runs(lab, "npm", &["--version"])
    },
    cure: Cure::Debian(&["nodejs", "npm"]),
};
pub(crate) static NODE_PACKAGES: Need = Need {
    what: "the JavaScript packages of tests/sdk/js/package-lock.json, in tests/sdk/js/node_modules",
    present: has_node_packages,
    cure: Cure::Commands(|lab| vec![Job::new("npm", &["ci", "--no-audit", "--no-fund"], lab.sdk("js"))]),
};
pub(crate) static GO: Need = Need {
    what: "go 1.21 or newer, which fetches the version that tests/sdk/go/go.mod asks for (Debian 12 has an older one)",
    // An older one does not understand the file.
    present: |lab| child::succeeds(&Job::new("go", &["list", "-m"], lab.sdk("go"))),
    // Go trusts the certificates of the system.
    cure: Cure::Debian(&["golang-go", "ca-certificates"]),
};
pub(crate) static GO_MODULES: Need = Need {
    what: "the Go modules of tests/sdk/go/go.mod",
    present: |lab| {
        let list = Job::new("go", &["list", "-deps", "-test", "./..."], lab.sdk("go"));
        child::succeeds(&list.env("GOPROXY", "off").env("GOFLAGS", "-mod=readonly"))
    },
    cure: Cure::Commands(|lab| vec![Job::new("go", &["mod", "download"], lab.sdk("go"))]),
};

/// Looks for all that `steps` need. True when all is there, at the end. Without `install` it names what is missing.
pub(crate) fn meet(lab: &Lab, steps: &[Step], install: bool) -> io::Result<bool> {
    let mut is_updated = false;
    let mut missing = Vec::new();
    for need in in_order(steps) {
        if (need.present)(lab) {
            continue;
        }
        if install {
            writeln!(io::stdout(), "\n== install: {}", need.what)?;
            for job in commands(lab, need, &mut is_updated) {
                let ended = child::run(&job, INSTALL_MAX)?;
                if let Some(failure) = ended.failure {
                    writeln!(io::stdout(), "failed: {job}: {failure}")?;
                    break;
                }
            }
            if (need.present)(lab) {
                continue;
            }
        }
        missing.push(need);
    }
    for need in &missing {
        writeln!(
            io::stdout(),
            "missing: {}\n    {}",
            need.what,
            advice(lab, need, install)
        )?;
    }
    Ok(missing.is_empty())
}

/// Each need once, those that others rest on first: a step lists them in that order.
fn in_order(steps: &[Step]) -> Vec<&'static Need> {
    let mut needs: Vec<&'static Need> = Vec::new();
    for need in steps.iter().flat_map(|step| step.needs.iter().copied()) {
        if !needs.iter().any(|known| known.what == need.what) {
            needs.push(need);
        }
    }
    needs
}

fn commands(lab: &Lab, need: &Need, is_updated: &mut bool) -> Vec<Job> {
    match need.cure {
        Cure::Debian(packages) => {
            let apt =
                |args: &[&str]| Job::new("apt-get", args, &lab.root).env("DEBIAN_FRONTEND", "noninteractive");
            let mut args = vec!["install", "--yes", "--quiet", "--no-install-recommends"];
            args.extend(packages);
            let update = (!std::mem::replace(is_updated, true)).then(|| apt(&["update", "--quiet"]));
            update.into_iter().chain([apt(&args)]).collect()
        }
        Cure::Commands(commands) => commands(lab),
        Cure::User(_) => Vec::new(),
    }
}

fn advice(lab: &Lab, need: &Need, was_tried: bool) -> String {
    let tried = if was_tried {
        "the installation failed, or brought an older one; see above. "
    } else {
        "or give --install. "
    };
    match need.cure {
        Cure::Debian(packages) => format!("{tried}Debian: apt-get install {}", packages.join(" ")),
        Cure::Commands(commands) => {
            let lines: Vec<String> = commands(lab).iter().map(Job::to_string).collect();
            format!("{tried}By hand: {}", lines.join(" && "))
        }
        Cure::User(what) => what.to_owned(),
    }
}

fn rust_component(lab: &Lab, name: &str) -> Job {
    Job::new("rustup", &["component", "add", name], &lab.root)
}

fn runs(lab: &Lab, program: &str, args: &[&str]) -> bool {
    child::succeeds(&Job::new(program, args, &lab.root))
}

/// npm writes a copy of the lock file beside what it installed; an older one tells that the packages are older.
fn has_node_packages(lab: &Lab) -> bool {
    let modified = |path: &str| {
        fs::metadata(lab.sdk("js").join(path))
            .and_then(|file| file.modified())
            .ok()
    };
    let installed = modified("node_modules/.package-lock.json");
    installed
        .zip(modified("package-lock.json"))
        .is_some_and(|(installed, wanted)| installed >= wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debian_packages_are_updated_for_once_and_named() {
        let lab = Lab::for_test();
        let mut is_updated = false;
        let lines = |jobs: Vec<Job>| jobs.iter().map(Job::to_string).collect::<Vec<_>>();
        let install = "apt-get install --yes --quiet --no-install-recommends redis-server";
        assert_eq!(
            lines(commands(&lab, &REDIS, &mut is_updated)),
            ["apt-get update --quiet", install]
        );
        assert_eq!(lines(commands(&lab, &REDIS, &mut is_updated)), [install]);
        assert_eq!(
            advice(&lab, &REDIS, false),
            "or give --install. Debian: apt-get install redis-server"
        );
    }

    #[test]
    fn parts_of_rust_are_brought_by_rustup() {
        let lab = Lab::for_test();
        let jobs = commands(&lab, &CLIPPY, &mut false);
        let lines: Vec<_> = jobs.iter().map(Job::to_string).collect();
        assert_eq!(lines, ["rustup component add clippy"]);
        assert_eq!(
            advice(&lab, &RUSTFMT, true),
            "the installation failed, or brought an older one; see above. By hand: rustup component add rustfmt"
        );
    }

    #[test]
    fn what_is_missing_is_found_missing() {
        let lab = Lab::for_test();
        assert!(!has_node_packages(&lab));
        assert!(!runs(
            &Lab {
                root: "/".into(),
                ..lab
            },
            "no-such-program",
            &[]
        ));
    }
}
