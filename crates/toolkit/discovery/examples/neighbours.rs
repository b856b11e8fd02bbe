//! Announces an instance over multicast DNS, says who else serves the name once a second, and withdraws at Ctrl-C:
//! `cargo run -p outrigger-discovery --example neighbours -- orders 192.168.0.7:3000`

use std::{error::Error, io::Write, net::SocketAddr, time::Duration};

use outrigger_discovery::{
    Instance, Name, Register, Resolve,
    mdns::{IdForm, Mdns, MdnsOptions},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [name, address] = words.as_slice() else {
        return Err("give a name and an address".into());
    };
    let name: Name = name.parse()?;
    // A host name that tells this machine from others is what a real program would give.
    let form = IdForm::new("local.", "example-host", std::process::id());
    let mdns = Mdns::open(form, MdnsOptions::default());
    let standing = mdns
        .register(&Instance::new(name.clone(), address.parse::<SocketAddr>()?))
        .await?;
    let mut out = std::io::stdout();
    loop {
        match mdns.resolve(&name).await {
            Ok(endpoints) => {
                let addresses: Vec<String> =
                    endpoints.iter().map(|known| known.address.to_string()).collect();
                writeln!(out, "{name}: {}", addresses.join(", "))?;
            }
            Err(error) => writeln!(out, "{error}")?,
        }
        tokio::select! {
            _ = tokio::signal::ctrl_c() => break,
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
    }
    standing.close().await;
    Ok(())
}
