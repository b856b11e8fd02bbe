//! Two network namespaces joined by a cable: two "machines" on one machine.

use std::{
    ffi::OsStr,
    fmt,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use crate::{Error, process::run};

/// Where `ip netns` keeps namespaces.
const MOUNTS: &str = "/run/netns";
/// The Debian package that brings `ip`.
const PACKAGE: &str = "iproute2";
/// Makes names of pairs unique inside one test process; the process id makes them unique outside.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// Two namespaces with a virtual cable between them: `10.203.0.1` at one end, `10.203.0.2` at the other.
///
/// Addresses live inside the namespaces only, so every pair has the same. Dropping the pair removes both.
#[derive(Debug)]
pub struct NamespacePair {
    /// One end, `10.203.0.1`.
    pub left: Namespace,
    /// The other end, `10.203.0.2`.
    pub right: Namespace,
}

/// One network namespace; removed on drop. Processes in it must end first: their guards come after it in a test.
pub struct Namespace {
    name: String,
    address: &'static str,
}

/// The cable's end inside each namespace.
const CABLE: &str = "cable0";

impl NamespacePair {
    /// Makes the two namespaces and joins them. Needs root.
    pub fn new() -> Result<Self, Error> {
        let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
        if !is_root {
            return Err(Error::NotRoot("making network namespaces"));
        }
        let id = format!(
            "ou{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let left = Namespace::new(format!("{id}-l"), "10.203.0.1")?;
        let right = Namespace::new(format!("{id}-r"), "10.203.0.2")?;
        ip(&[
            "link",
            "add",
            CABLE,
            "netns",
            &left.name,
            "type",
            "veth",
            "peer",
            "name",
            CABLE,
            "netns",
            &right.name,
        ])?;
        left.bring_up()?;
        right.bring_up()?;
        Ok(Self { left, right })
    }

    /// Pulls the cable: what is sent is lost, nobody is told.
    pub fn cut(&self) -> Result<(), Error> {
        self.left.link("down")
    }

    /// Plugs the cable in again.
    pub fn join(&self) -> Result<(), Error> {
        self.left.link("up")
    }
}

impl Namespace {
    fn new(name: String, address: &'static str) -> Result<Self, Error> {
        ip(&["netns", "add", &name])?;
        Ok(Self { name, address })
    }

    /// The address of this end of the cable.
    pub fn address(&self) -> &'static str {
        self.address
    }

    /// Its name, as `ip netns` knows it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file that stands for it, by which a thread can enter it.
    pub fn path(&self) -> PathBuf {
        Path::new(MOUNTS).join(&self.name)
    }

    /// A command that runs `program` in this namespace; give it to [`Process::spawn`](crate::Process::spawn).
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }

    /// Runs a command in this namespace to its end; what it printed.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Result<String, Error> {
        run(self.command(program).args(arguments), PACKAGE)
    }

    fn bring_up(&self) -> Result<(), Error> {
        let address = format!("{}/24", self.address);
        ip(&["-n", &self.name, "address", "add", &address, "dev", CABLE])?;
        ip(&["-n", &self.name, "link", "set", "lo", "up"])?;
        self.link("up")
    }

    fn link(&self, state: &str) -> Result<(), Error> {
        ip(&["-n", &self.name, "link", "set", CABLE, state])
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // A failure leaves an empty namespace behind; it must not hide why the test failed.
        let _ = ip(&["netns", "delete", &self.name]);
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Namespace({}, {})", self.name, self.address)
    }
}

fn ip(arguments: &[&str]) -> Result<(), Error> {
    run(Command::new("ip").args(arguments), PACKAGE).map(drop)
}
