//! Sends requests to three replicas, one of which is not there, and says who served them:
//! `cargo run -p outrigger-balance --example replicas`

use std::{collections::BTreeMap, error::Error, io::Write, net::SocketAddr, sync::Arc};

use outrigger_balance::{Balance, Directed, Options, Picker};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::Instant,
};
use tower::{ServiceExt, service_fn};

/// A replica: answers every connection with its number.
async fn serve(listener: TcpListener, number: u8) {
    while let Ok((mut connection, _)) = listener.accept().await {
        // A client that went away needs no answer.
        let _ = connection.write_all(&[number]).await;
    }
}

/// The service inside: dials the endpoint that was chosen.
async fn ask(directed: Directed<SocketAddr, ()>) -> std::io::Result<u8> {
    TcpStream::connect(directed.endpoint).await?.read_u8().await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (one, two, gone) = (listen().await?, listen().await?, listen().await?);
    let endpoints: Arc<[SocketAddr]> = [one.local_addr()?, two.local_addr()?, gone.local_addr()?].into();
    drop(gone);
    let picker = Arc::new(Picker::of_keys(Options::default(), Instant::now().into_std()));
    let balance = Balance::new(service_fn(ask), endpoints, picker, |_: &std::io::Error| true);

    let calls = async {
        let mut served: BTreeMap<String, u32> = BTreeMap::new();
        for _ in 0..1000 {
            let by = match balance.clone().oneshot(()).await {
                Ok(number) => format!("replica {number}"),
                Err(_) => "nobody".to_owned(),
            };
            *served.entry(by).or_default() += 1;
        }
        served
    };
    let served = tokio::select! {
        served = calls => served,
        ((), ()) = async { tokio::join!(serve(one, 1), serve(two, 2)) } => return Err("the replicas ended".into()),
    };
    for (by, times) in served {
        writeln!(std::io::stdout(), "{by}: {times} requests")?;
    }
    Ok(())
}

async fn listen() -> std::io::Result<TcpListener> {
    TcpListener::bind("127.0.0.1:0").await
}
