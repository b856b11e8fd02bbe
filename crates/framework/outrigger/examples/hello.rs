//! The smallest app: `curl` it through any sidecar, or call it from any app.
use outrigger::{App, Json};

async fn hello(Json(name): Json<String>) -> Json<String> {
    Json(format!("Hello, {name}!"))
}

#[tokio::main]
async fn main() -> Result<(), outrigger::Error> {
    App::new("hello").call("hello", hello).run().await
}
