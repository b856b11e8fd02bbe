//! `demo`: a small shop of several services, to see the building blocks at work on a machine where nothing is installed.
//!
//! Six members play ([`cast`]), each a process of its own ([`stage`]), written as a user of the framework writes a service
//! ([`services`]). Customers place orders over HTTP and gRPC, a service is killed in their midst and started again
//! ([`script`]), and in the end the books are checked ([`books`]): every order must be accounted for, once. Everything is
//! in a temporary folder and on free ports of loopback, so that a demo meets nobody, not even another demo.

mod books;
mod cast;
mod closing;
mod plan;
mod script;
mod services;
mod shop;
mod show;
mod stage;

use std::process::ExitCode;

use outrigger_base_std::BoxError;
use outrigger_base_task::TaskSet;
use tokio::time::Instant;

use crate::commands::{Commander, Order, Orders, block_on};
use books::Audit;
use script::Trouble;
pub(crate) use services::main as service;
use show::{Show, Style};
use stage::{Fallen, Folder, Stage};

/// The first argument that makes this program one of the services; users have no need of it.
pub(crate) const SERVICE: &str = "demo-service";
/// Exit code after a Ctrl-C, as shells give it.
const INTERRUPTED: u8 = 130;
/// Most orders: with more of them the play gets long, and the shelves, each one value, unwieldy.
const ORDERS_MAX: i64 = 5_000;

/// See the building blocks at work: a small shop of several services, with its books checked in the end
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many orders are placed
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = 200,
        value_parser = clap::value_parser!(u32).range(i64::from(plan::ORDERS_MIN)..=ORDERS_MAX)
    )]
    orders: u32,
    /// Leave the shop open until Ctrl-C, and say what to try
    #[arg(long)]
    stay: bool,
    /// Keep the folder with resources, data and logs
    #[arg(long)]
    keep: bool,
    /// Tell only what the books come to, and what went wrong
    #[arg(long)]
    quiet: bool,
}

/// There is nowhere to play.
#[derive(Debug, thiserror::Error)]
#[error("cannot make a folder for the demo: set TMPDIR to a folder that can be written to")]
struct NoFolder(#[source] std::io::Error);

/// How it came out.
enum End {
    /// Every act was played.
    Played(Audit),
    /// It was broken off.
    Trouble(Trouble),
    /// A process ended by itself.
    Fallen(Fallen),
    /// Somebody pressed Ctrl-C.
    Interrupted,
}

pub(crate) fn apply(args: &Args) -> Result<ExitCode, BoxError> {
    block_on(run(args))?
}

async fn run(args: &Args) -> Result<ExitCode, BoxError> {
    let (show, start) = (Show::new(args.quiet), Instant::now());
    let (commander, mut orders) = Commander::new();
    let signals = TaskSet::new("demo-signals");
    commander.listen(&signals)?;
    let mut stage = Stage::new(Folder::make(args.keep).map_err(NoFolder)?, orders.clone())?;
    show.line(&show.paint(
        Style::Bold,
        "Outrigger: a small shop, to see a system of services at work",
    ));
    let end = perform(&mut stage, &show, args.orders, &mut orders).await;
    tell(&end, &stage, &show, start);
    let end = if args.stay {
        stay(end, &stage, &show, &mut orders).await
    } else {
        end
    };
    let late = stage.strike().await;
    signals.stop();
    let is_killed = orders.now() == Order::Kill;
    for fallen in late.iter().filter(|_| !is_killed) {
        show.tell(&format!(
            "! {} did not end in good order: {}",
            fallen.process, fallen.how
        ));
    }
    farewell(&end, args, &stage, &show);
    let code = match end {
        End::Played(audit) => audit.exit_code().max(u8::from(!late.is_empty() && !is_killed)),
        End::Trouble(_) | End::Fallen(_) => 1,
        End::Interrupted => INTERRUPTED,
    };
    Ok(ExitCode::from(code))
}

/// Plays, unless something happens that ends it.
async fn perform(stage: &mut Stage, show: &Show, number: u32, orders: &mut Orders) -> End {
    let fallen = stage.fallen();
    tokio::select! {
        biased;
        () = orders.stop() => End::Interrupted,
        fallen = fallen => End::Fallen(fallen),
        played = script::play(stage, show, number) => match played {
            Ok(audit) => End::Played(audit),
            Err(trouble) => End::Trouble(trouble),
        },
    }
}

fn tell(end: &End, stage: &Stage, show: &Show, start: Instant) {
    show.end_progress();
    match end {
        End::Played(audit) => closing::tell_books(audit, show, start.elapsed()),
        End::Trouble(trouble) => closing::tell_trouble(trouble, stage, show),
        End::Fallen(fallen) => closing::tell_fallen(fallen, stage, show),
        End::Interrupted => show.line("Interrupted: the shop closes."),
    }
}

/// Leaves the shop open, where it is still whole.
async fn stay(end: End, stage: &Stage, show: &Show, orders: &mut Orders) -> End {
    if !matches!(end, End::Played(_)) {
        return end;
    }
    show.tell("\nThe shop stays open. Try, in another terminal:");
    for line in closing::shopping(stage).iter().chain(&closing::looking(stage)) {
        show.tell(&format!("   {line}"));
    }
    show.tell("Ctrl-C closes it.");
    tokio::select! {
        () = orders.stop() => {
            show.line("\nThe shop closes.");
            end
        }
        fallen = stage.fallen() => {
            closing::tell_fallen(&fallen, stage, show);
            End::Fallen(fallen)
        }
    }
}

fn farewell(end: &End, args: &Args, stage: &Stage, show: &Show) {
    if args.keep {
        show.tell(&format!(
            "Resources, data and logs are in {}",
            stage.folder().path().display()
        ));
    } else if matches!(end, End::Played(_)) && !args.stay {
        show.line(&show.paint(
            Style::Dim,
            "--stay leaves the shop open, with command lines to try; --keep keeps the logs",
        ));
    }
}
