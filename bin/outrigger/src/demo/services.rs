//! The services of the shop, each written as one who uses the framework writes it. Each is a process of its own.

pub(crate) mod courier;
pub(crate) mod ledger;
pub(crate) mod order;
mod orders;
mod shipping;
pub(crate) mod stock;

use std::{
    ffi::OsString,
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
};

use clap::Parser;
use outrigger_base_clock::SystemClock;
use outrigger_base_std::{BoxError, chain};
use outrigger_base_telemetry::log::{Config, LogLayer, Scopes};
use tracing_subscriber::{Registry, layer::SubscriberExt};

/// Run a service of the demo
#[derive(Debug, clap::Parser)]
#[command(name = super::SERVICE)]
struct Args {
    /// Which one
    #[arg(value_enum)]
    service: Service,
    /// Port to listen on, for the one that knows nothing of sidecars
    #[arg(long, value_name = "PORT", required_if_eq("service", "courier"))]
    port: Option<u16>,
}

/// The services that are programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Service {
    Orders,
    Stock,
    Shipping,
    Ledger,
    Courier,
}

impl Service {
    /// Its name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Stock => "stock",
            Self::Shipping => "shipping",
            Self::Ledger => "ledger",
            Self::Courier => "courier",
        }
    }
}

/// Runs the service of a command line, which begins with the role's name, until it is told to end.
pub(crate) fn main(args: Vec<OsString>) -> ExitCode {
    let args = match Args::try_parse_from(args) {
        Ok(args) => args,
        Err(error) => error.exit(),
    };
    match serve(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The standard error is the service's log.
            let _ = writeln!(io::stderr(), "{}", chain(&*error));
            ExitCode::FAILURE
        }
    }
}

fn serve(args: &Args) -> Result<(), BoxError> {
    // The lines of the framework are worth reading, those of the crates beneath it when they warn.
    let modules = vec![("outrigger".into(), args.service.name().into())];
    let config = Config {
        scopes: Scopes {
            modules,
            ..Scopes::default()
        },
        ..Config::default()
    };
    let (log, _) = LogLayer::open(config, Arc::new(SystemClock))?;
    tracing::subscriber::set_global_default(Registry::default().with(log))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(run(args))
}

async fn run(args: &Args) -> Result<(), BoxError> {
    match args.service {
        Service::Orders => orders::app().run().await?,
        Service::Stock => stock::app().run().await?,
        Service::Shipping => shipping::app().run().await?,
        Service::Ledger => ledger::app().run().await?,
        Service::Courier => courier::serve(args.port.ok_or("a port is needed")?).await?,
    }
    Ok(())
}
