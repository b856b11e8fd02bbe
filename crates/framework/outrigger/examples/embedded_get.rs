//! What a read of state costs an app that carries its runtime.
//!
//! `cargo run --release -p outrigger --example embedded_get` prints microseconds a read in memory, for a text of 1 KB and
//! for a number: the median of many rounds, decoding included. `cargo xtask bench --only embedded-get` reads its lines.

#![allow(clippy::print_stdout, reason = "it is what the program is for")]

use std::time::Instant;

use outrigger::{App, Error, Mode};

/// Reads in one round: long enough for the clock, short enough for many rounds.
const READS: u32 = 20_000;
const ROUNDS: usize = 15;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let running = App::new("embedded-get")
        .mode(Mode::Embedded)
        .multicast(false)
        .internal(std::net::SocketAddr::from(([127, 0, 0, 1], 0)))
        .component("statestore", "state.in-memory", [])
        .start()
        .await?;
    let store = running.handle().state("statestore");
    store.set("key", &"x".repeat(1024)).await?;
    let mut typed = Vec::new();
    let mut small = Vec::new();
    store.set("number", &7u32).await?;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..READS {
            let value: Option<String> = store.get("key").await?;
            assert!(value.is_some());
        }
        typed.push(start.elapsed().as_secs_f64() * 1e6 / f64::from(READS));
        let start = Instant::now();
        for _ in 0..READS {
            let value: Option<u32> = store.get("number").await?;
            assert_eq!(value, Some(7));
        }
        small.push(start.elapsed().as_secs_f64() * 1e6 / f64::from(READS));
    }
    println!("text_us {:.2}", median(&mut typed));
    println!("number_us {:.2}", median(&mut small));
    running.shutdown().await;
    Ok(())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
