//! The program's arguments.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};
use http::Method;

use crate::{
    echo::Subscription,
    group_writer, hop,
    load::{Plan, Protocol, TargetSpec, Template},
    serve::cores,
};

/// The bare limit: what the machine can do without a runtime.
#[derive(Debug, Parser)]
#[command(name = "limit")]
pub struct Cli {
    /// What to be.
    #[command(subcommand)]
    pub role: Role,
}

/// The roles of the program. Servers print `listening ADDRESS` and run until killed; the rest prints one JSON line.
#[derive(Debug, Subcommand)]
pub enum Role {
    /// An HTTP/1.1 echo app.
    Echo(EchoArgs),
    /// A gRPC echo app, for any method and message.
    GrpcEcho(Listen),
    /// A proxy of one hop.
    HttpHop(HopArgs),
    /// A transparent gRPC proxy: HTTP/2 on both sides.
    GrpcHop(GrpcHopArgs),
    /// Many producers, one SQLite writer, one transaction a batch.
    GroupWriter(GroupWriterArgs),
    /// The load generator.
    Load(LoadArgs),
    /// One streamed upload.
    Upload(UploadArgs),
    /// An endless loop, to be started in the idle class.
    Spin,
}

/// Where a server listens, and on how many cores.
#[derive(Clone, Debug, Args)]
pub struct Listen {
    /// The address; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// Cores to serve on.
    #[arg(long, default_value_t = cores())]
    pub threads: usize,
}

/// Arguments of the echo app.
#[derive(Debug, Args)]
pub struct EchoArgs {
    /// Where.
    #[command(flatten)]
    pub listen: Listen,
    /// Ask the sidecar for this subscription: `pubsub/topic`.
    #[arg(long, value_parser = subscription)]
    pub subscribe: Option<Subscription>,
}

/// Arguments of a hop.
#[derive(Debug, Args)]
pub struct HopArgs {
    /// Where.
    #[command(flatten)]
    pub listen: Listen,
    /// The next process.
    #[arg(long)]
    pub upstream: SocketAddr,
    /// What is spoken with clients.
    #[arg(long, value_enum, default_value = "h1")]
    pub protocol: hop::Protocol,
    /// What is spoken with the next process.
    #[arg(long, value_enum, default_value = "h1")]
    pub upstream_protocol: hop::Protocol,
}

/// Arguments of a gRPC hop.
#[derive(Debug, Args)]
pub struct GrpcHopArgs {
    /// Where.
    #[command(flatten)]
    pub listen: Listen,
    /// The next process.
    #[arg(long)]
    pub upstream: SocketAddr,
}

/// Arguments of the grouped writer.
#[derive(Debug, Args)]
pub struct GroupWriterArgs {
    /// The database file.
    #[arg(long)]
    pub file: PathBuf,
    /// Callers at a time.
    #[arg(long, default_value_t = 32)]
    pub producers: usize,
    /// Bytes of a value.
    #[arg(long, default_value_t = 100)]
    pub value_bytes: usize,
    /// Seconds before counting begins.
    #[arg(long, default_value = "1", value_parser = seconds)]
    pub warmup: Duration,
    /// Seconds counted.
    #[arg(long, default_value = "5", value_parser = seconds)]
    pub duration: Duration,
}

/// What is asked of a target.
#[derive(Debug, Args)]
pub struct RequestArgs {
    /// `http://host:port/path`; `{n}`, `{n:1000}` and `{now}` in the path are filled in.
    #[arg(long)]
    pub url: String,
    /// `name: value`, repeatable.
    #[arg(long = "header", value_parser = header)]
    pub headers: Vec<(String, String)>,
    /// What is spoken.
    #[arg(long, value_enum, default_value = "http")]
    pub protocol: Protocol,
}

/// Arguments of the load generator.
#[derive(Debug, Args)]
pub struct LoadArgs {
    /// The requests.
    #[command(flatten)]
    pub request: RequestArgs,
    /// The method.
    #[arg(long, default_value = "POST")]
    pub method: Method,
    /// The body, a template like the path.
    #[arg(long, conflicts_with = "body_size")]
    pub body: Option<String>,
    /// A body of this many letters.
    #[arg(long, default_value_t = 0)]
    pub body_size: usize,
    /// An answer must be as long as its request.
    #[arg(long)]
    pub check_echo: bool,
    /// Connections, each with one request at a time.
    #[arg(long, default_value_t = 32)]
    pub connections: usize,
    /// Requests a second, due at fixed times; without it each connection sends as fast as it gets answers.
    #[arg(long)]
    pub rate: Option<u32>,
    /// Requests in all, after which a closed loop ends before its time.
    #[arg(long, conflicts_with = "rate")]
    pub requests: Option<u64>,
    /// Threads of a closed loop.
    #[arg(long, default_value_t = cores())]
    pub threads: usize,
    /// Seconds before counting begins.
    #[arg(long, default_value = "1", value_parser = seconds)]
    pub warmup: Duration,
    /// Seconds counted.
    #[arg(long, default_value = "5", value_parser = seconds)]
    pub duration: Duration,
}

/// Arguments of the upload.
#[derive(Debug, Args)]
pub struct UploadArgs {
    /// The request.
    #[command(flatten)]
    pub request: RequestArgs,
    /// Bytes to send.
    #[arg(long, default_value_t = 512 * 1024 * 1024)]
    pub bytes: u64,
}

impl HopArgs {
    /// The hop to start.
    #[must_use]
    pub fn hop(&self) -> hop::Hop {
        hop::Hop {
            downstream: self.protocol,
            upstream: self.upstream,
            upstream_protocol: self.upstream_protocol,
        }
    }
}

impl GroupWriterArgs {
    /// The plan to run.
    #[must_use]
    pub fn plan(&self) -> group_writer::Plan {
        group_writer::Plan {
            producers: self.producers,
            value_bytes: self.value_bytes,
            warmup: self.warmup,
            duration: self.duration,
        }
    }
}

impl RequestArgs {
    fn target(self, method: Method, body: Template, check_echo: bool) -> TargetSpec {
        TargetSpec {
            url: self.url,
            protocol: self.protocol,
            method,
            headers: self.headers,
            body,
            check_echo,
        }
    }
}

impl LoadArgs {
    /// What to aim at, and how much.
    #[must_use]
    pub fn split(self) -> (TargetSpec, Plan) {
        let plan = Plan {
            connections: self.connections,
            rate: self.rate,
            requests: self.requests,
            threads: self.threads,
            warmup: self.warmup,
            duration: self.duration,
        };
        let body = self.body.map_or_else(
            || Template::fixed(vec![b'x'; self.body_size]),
            |body| Template::parse(&body),
        );
        (self.request.target(self.method, body, self.check_echo), plan)
    }
}

impl UploadArgs {
    /// What to aim at.
    #[must_use]
    pub fn target(self) -> TargetSpec {
        self.request.target(Method::POST, Template::fixed(""), false)
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| format!("`{text}` is not a number of seconds"))?;
    Duration::try_from_secs_f64(seconds).map_err(|_| format!("`{text}` is not a span of time"))
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once(':')
        .ok_or_else(|| format!("`{text}` is not of the form `name: value`"))?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn subscription(text: &str) -> Result<Subscription, String> {
    let (pubsub, topic) = text
        .split_once('/')
        .ok_or_else(|| format!("`{text}` is not of the form `pubsub/topic`"))?;
    Ok(Subscription {
        pubsub: pubsub.to_owned(),
        topic: topic.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn bad_values_are_refused() {
        assert!(seconds("-1").is_err() && seconds("x").is_err());
        assert!(header("no colon").is_err());
        assert!(subscription("topic").is_err());
        assert_eq!(
            header("dapr-app-id: b").unwrap(),
            ("dapr-app-id".to_owned(), "b".to_owned())
        );
    }
}
