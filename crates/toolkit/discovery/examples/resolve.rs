//! Resolves names out of a list, behind a cache:
//! `cargo run -p outrigger-discovery --example resolve -- orders=127.0.0.1:3000,127.0.0.1:3001 orders`
//!
//! Arguments with `=` write a name down, the others are resolved.

use std::{error::Error, io::Write, net::SocketAddr};

use outrigger_discovery::{Cache, CacheOptions, Chain, Name, Resolve, static_list::StaticList};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (written, asked): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|word| word.contains('='));
    let mut names = Vec::new();
    for word in &written {
        let (name, addresses) = word.split_once('=').unwrap_or((word, ""));
        let addresses: Vec<SocketAddr> = addresses.split(',').map(str::parse).collect::<Result<_, _>>()?;
        names.push((name.parse::<Name>()?, addresses));
    }
    let resolver = Cache::new(
        Chain::new().with("arguments", StaticList::from_iter(names)),
        CacheOptions::default(),
    );
    let mut out = std::io::stdout();
    for name in asked {
        match resolver.resolve(&name.parse()?).await {
            Ok(endpoints) => {
                let addresses: Vec<String> = endpoints
                    .iter()
                    .map(|endpoint| endpoint.address.to_string())
                    .collect();
                writeln!(out, "{name}: {}", addresses.join(", "))?;
            }
            Err(error) => writeln!(out, "{name}: {error}")?,
        }
    }
    Ok(())
}
