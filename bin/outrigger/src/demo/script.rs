//! The acts: the shop opens, sells, loses a service and gets it back, and does its books.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{StreamExt, stream};
use outrigger::resilience::{Backoff, Policy, Verdict};
use tokio::time::Instant;

use super::{
    books::{Audit, Books},
    cast::{CAST, DOOR, SHIPPING},
    closing,
    plan::{NONSENSE, Plan, Visit},
    services::{
        ledger::{Entries, Summary},
        order::Slip,
        stock::Shelf,
    },
    shop::{Shop, ShopError, Way},
    show::{Show, Style},
    stage::{Stage, StageError},
};

/// Customers in the shop at a time.
const CUSTOMERS: usize = 16;
/// A customer who gets no answer comes again: for 10 s.
const PATIENCE: Policy = Policy::retry(Backoff::constant(Duration::from_millis(200)), 50);
/// Between two looks into the ledger.
const LOOK: Duration = Duration::from_millis(50);
/// Without anything new in the ledger for so long, what is missing is lost: longer than every pause before a repetition.
const STILL: Duration = Duration::from_secs(45);

/// Why the play was broken off.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error(transparent)]
    Stage(#[from] StageError),
    #[error(transparent)]
    Shop(#[from] ShopError),
}

impl Trouble {
    /// The member whose logs may say why.
    pub(crate) fn suspect(&self) -> Option<&str> {
        match self {
            Self::Stage(error) => error.suspect(),
            Self::Shop(error) => error.app(),
        }
    }
}

/// Plays all acts.
pub(crate) async fn play(stage: &mut Stage, show: &Show, orders: u32) -> Result<Audit, Trouble> {
    let plan = Plan::new(orders);
    let shop = open(stage, show).await?;
    stock(&shop, &plan, show).await?;
    sell(stage, &shop, &plan, show).await?;
    recover(stage, &shop, &plan, show).await?;
    show.act("The books");
    Ok(read_books(&shop, &plan).await?.audit())
}

/// Everybody starts.
async fn open(stage: &mut Stage, show: &Show) -> Result<Shop, Trouble> {
    show.act("The shop opens");
    let start = Instant::now();
    stage.raise().await?;
    for member in &CAST {
        let name = show.paint(Style::Bold, &format!("{:<9}", member.name));
        let form = show.paint(Style::Dim, &format!("({})", member.form.words()));
        show.good(&format!("{name} {} {form}", member.part));
    }
    let (door, ports) = (
        stage.client(DOOR)?,
        stage.ports(DOOR).ok_or(StageError::NotReady(DOOR))?,
    );
    let took = start.elapsed().as_millis();
    show.line(&format!(
        "   All of them are processes of their own, and were ready after {took} ms."
    ));
    show.line(&format!(
        "   The door: http://127.0.0.1:{} and, for gRPC, 127.0.0.1:{}",
        ports.http, ports.grpc
    ));
    show.line("   To look around while it is open (--stay leaves it open):");
    for line in closing::looking(stage) {
        show.line(&format!("   {}", show.paint(Style::Dim, &line)));
    }
    Ok(Shop::new(door, ports.grpc, stage.tasks().child("customers")))
}

/// The shelves are filled.
async fn stock(shop: &Shop, plan: &Plan, show: &Show) -> Result<(), Trouble> {
    for (item, pieces) in &plan.stock {
        let _: Shelf = shop.post("stock", &format!("shelves/{item}"), pieces).await?;
    }
    let (pieces, shelves) = (plan.stock.values().sum::<u32>(), plan.stock.len());
    show.good(&format!(
        "{pieces} pieces are put on {shelves} shelves, which will not be enough"
    ));
    Ok(())
}

/// Customers come, and in their midst a service dies.
async fn sell(stage: &Stage, shop: &Shop, plan: &Plan, show: &Show) -> Result<(), Trouble> {
    show.act("Customers come");
    let (all, fatal) = (plan.visits.len(), plan.visits.len() * 2 / 5);
    let mut answers = stream::iter(&plan.visits)
        .map(|visit| serve(shop, visit))
        .buffer_unordered(CUSTOMERS);
    let mut taken = 0;
    while let Some(answer) = answers.next().await {
        answer?;
        taken += 1;
        show.progress(taken, all, "orders");
        if taken == fatal {
            stage.kill(SHIPPING).await;
            let settled = summary(shop).await?.orders;
            show.warm(&format!(
                "{SHIPPING} is killed (SIGKILL) in the middle: {taken} orders are taken, {settled} are settled"
            ));
        }
    }
    show.end_progress();
    let (http, grpc) = (plan.by(Way::Http), plan.by(Way::Grpc));
    show.good(&format!(
        "{all} orders are taken all the same: {http} over HTTP, {grpc} over gRPC"
    ));
    let (twice, poison) = (plan.twice(), plan.poison.len());
    show.good(&format!(
        "{twice} of them were sent twice, and {poison} ask for {NONSENSE:?}, which nobody can ship"
    ));
    Ok(())
}

/// A customer is served when the receipts are in hand.
async fn serve(shop: &Shop, visit: &Visit) -> Result<(), ShopError> {
    let times = if visit.twice { 2 } else { 1 };
    for _ in 0..times {
        let attempt = |()| async {
            let placed = shop.order(visit.way, &visit.slip).await;
            placed.map_err(|error| Verdict::Again { error, input: () })
        };
        PATIENCE.run((), attempt).await?;
    }
    Ok(())
}

/// The dead service is started again, and what waited for it is done.
async fn recover(stage: &Stage, shop: &Shop, plan: &Plan, show: &Show) -> Result<(), Trouble> {
    show.act("The dead service comes back");
    let all = plan.visits.len();
    let waiting = all - summary(shop).await?.orders.min(all);
    show.warm(&format!("{waiting} orders wait in the broker"));
    stage.restart(SHIPPING).await?;
    let start = Instant::now();
    settle(shop, all, show).await?;
    let conflicts: u64 = shop.get("stock", "conflicts").await?;
    show.good(&format!(
        "{SHIPPING} is started again, and has caught up after {:.1} s",
        start.elapsed().as_secs_f32()
    ));
    show.good(&format!(
        "{conflicts} times an order found its shelf changed (ETag), and looked again"
    ));
    Ok(())
}

/// Waits until every order has an entry, or nothing happens any more.
async fn settle(shop: &Shop, all: usize, show: &Show) -> Result<(), Trouble> {
    let (mut seen, mut since) = (Summary::default(), Instant::now());
    while seen.orders < all && since.elapsed() < STILL {
        let now = summary(shop).await?;
        if now != seen {
            (seen, since) = (now, Instant::now());
            show.progress(seen.orders, all, "orders settled");
        }
        tokio::time::sleep(LOOK).await;
    }
    show.end_progress();
    Ok(())
}

async fn summary(shop: &Shop) -> Result<Summary, ShopError> {
    shop.get("ledger", "summary").await
}

/// Asks everybody what they have written down.
async fn read_books(shop: &Shop, plan: &Plan) -> Result<Books, Trouble> {
    let ids: Vec<&str> = plan.visits.iter().map(|visit| visit.slip.id.as_str()).collect();
    let slips: Vec<Slip> = shop.post("orders", "orders/lookup", &ids).await?;
    let on_file = |slip: Slip| {
        let pieces = slip
            .quantity
            .as_u64()
            .and_then(|pieces| u32::try_from(pieces).ok());
        (slip.id, (slip.item, pieces))
    };
    let mut shelves = BTreeMap::new();
    for item in plan.stock.keys() {
        let shelf: Shelf = shop.get("stock", &format!("shelves/{item}")).await?;
        shelves.insert(item.clone(), shelf);
    }
    let ledger: Entries = shop.get("ledger", "entries").await?;
    let labels = shop.get("courier", "labels").await?;
    Ok(Books {
        // Every customer was served, or the play was broken off.
        receipts: ids.into_iter().map(str::to_owned).collect(),
        poison: plan.poison.clone(),
        on_file: slips.into_iter().map(on_file).collect(),
        ledger,
        shelves,
        delivered: plan.stock.clone(),
        labels,
    })
}
