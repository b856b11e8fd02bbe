//! Registers an instance with the machine's registry, lists all instances once a second, and withdraws at Ctrl-C:
//! `cargo run -p outrigger-discovery --example machine -- /tmp/machine orders 127.0.0.1:3000`

use std::{error::Error, io::Write, net::SocketAddr, time::Duration};

use outrigger_discovery::{
    Instance, Name, Register,
    registry::{Registry, RegistryOptions},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [directory, name, address] = words.as_slice() else {
        return Err("give a directory, a name and an address".into());
    };
    let registry = Registry::open(directory, RegistryOptions::default())?;
    let instance = Instance::new(name.parse::<Name>()?, address.parse::<SocketAddr>()?);
    let standing = registry.register(&instance).await?;
    let mut out = std::io::stdout();
    loop {
        for entry in registry.list()? {
            let Instance { name, endpoint } = entry.instance;
            writeln!(out, "{name} at {} by process {}", endpoint.address, entry.pid)?;
        }
        tokio::select! {
            _ = tokio::signal::ctrl_c() => break,
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
    }
    standing.close().await;
    Ok(())
}
