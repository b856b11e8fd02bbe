//! Making connections: to one server, to the master that sentinels name, to a cluster.

use std::{io, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use outrigger_base_task::{StopSignal, TaskSet};
use outrigger_block_kit::{Context, OpenError};
use redis::{AsyncConnectionConfig, Cmd, ProtocolVersion, RedisConnectionInfo, aio::MultiplexedConnection};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{
    cluster,
    live::{Ended, Live},
    tls,
};
use crate::{
    fault::Fault,
    settings::{Credentials, Host, Settings, Topology},
    value,
};

/// Commands that wait for the writer of one connection; a caller beyond them waits. Sized for bursts of small calls.
const QUEUE: usize = 1024;
/// When a silent connection is probed, and how often then: finds a peer that is gone within a minute or so.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(30);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(10);

/// Makes connections to one place.
pub(super) struct Dialer {
    settings: Arc<Settings>,
    tls: Option<TlsConnector>,
    tasks: TaskSet,
    /// How long an answer may take on a cluster's connections, whose limits are set when they are made.
    patience: Option<Duration>,
}

impl Dialer {
    pub(super) fn new(settings: Settings, context: &Context) -> Result<Self, OpenError> {
        Ok(Self {
            tls: settings.tls.as_ref().map(tls::connector).transpose()?,
            patience: settings
                .read_timeout
                .zip(settings.write_timeout)
                .map(|(read, write)| read.max(write)),
            settings: Arc::new(settings),
            tasks: context.tasks.clone(),
        })
    }

    /// One that makes connections for calls that take longer.
    pub(super) fn patient(&self, patience: Option<Duration>) -> Self {
        Self {
            settings: self.settings.clone(),
            tls: self.tls.clone(),
            tasks: self.tasks.clone(),
            patience,
        }
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Owner of what drives connections and makes them.
    pub(super) fn tasks(&self) -> &TaskSet {
        &self.tasks
    }

    pub(super) fn is_cluster(&self) -> bool {
        matches!(self.settings.topology, Topology::Cluster(_))
    }

    /// Makes a connection.
    pub(super) async fn dial(&self) -> Result<Live, Fault> {
        match &self.settings.topology {
            Topology::Node(host) => self.limited(self.server(host)).await,
            Topology::Sentinel { sentinels, master } => self.master(sentinels, master).await,
            Topology::Cluster(hosts) => {
                let client = cluster::client(&self.settings, hosts, self.patience)?;
                let connection = self
                    .limited(async { Ok(client.get_async_connection().await?) })
                    .await?;
                Ok(Live::cluster(connection, StopSignal::default()))
            }
        }
    }

    async fn limited<T>(&self, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        match self.settings.dial_timeout {
            None => work.await,
            Some(limit) => tokio::time::timeout(limit, work)
                .await
                .unwrap_or_else(|_| Err(lost(io::ErrorKind::TimedOut, "no connection within dialTimeout"))),
        }
    }

    async fn server(&self, host: &Host) -> Result<Live, Fault> {
        self.connect(host, &self.settings.credentials, self.settings.database)
            .await
    }

    /// Asks the sentinels in their order, and makes sure that the one they name is the master.
    async fn master(&self, sentinels: &[Host], name: &str) -> Result<Live, Fault> {
        let mut last = lost(io::ErrorKind::NotFound, "no sentinel is named");
        for sentinel in sentinels {
            match self.limited(self.master_by(sentinel, name)).await {
                Ok(live) => return Ok(live),
                Err(fault) => {
                    tracing::debug!(%sentinel, master = name, %fault, "a sentinel led to no master");
                    last = fault;
                }
            }
        }
        Err(last)
    }

    async fn master_by(&self, sentinel: &Host, name: &str) -> Result<Live, Fault> {
        let live = self
            .connect(sentinel, &self.settings.sentinel_credentials, 0)
            .await?;
        let mut question = redis::cmd("SENTINEL");
        question.arg("get-master-addr-by-name").arg(name);
        let answer = value::list(ask(&live, &question).await?)?;
        let mut parts = answer.into_iter();
        let (Some(host), Some(port)) = (parts.next(), parts.next()) else {
            return Err(lost(
                io::ErrorKind::NotFound,
                "the sentinel knows no master of that name",
            ));
        };
        let port = u16::try_from(value::number(&port)?)
            .map_err(|_| lost(io::ErrorKind::InvalidData, "the sentinel names no port"))?;
        let host = Host {
            name: value::text(host)?,
            port,
        };
        let live = self.server(&host).await?;
        let role = value::list(ask(&live, &redis::cmd("ROLE")).await?)?;
        match role.into_iter().next().map(value::text).transpose()?.as_deref() {
            Some("master") => Ok(live),
            _ => Err(lost(
                io::ErrorKind::Other,
                "the server that the sentinel names is not the master",
            )),
        }
    }

    /// Connects, encrypts, introduces us, and lets a task drive the connection.
    async fn connect(&self, host: &Host, who: &Credentials, database: i64) -> Result<Live, Fault> {
        let stream = TcpStream::connect((host.name.as_str(), host.port))
            .await
            .map_err(io_fault)?;
        stream.set_nodelay(true).map_err(io_fault)?;
        let keepalive = socket2::TcpKeepalive::new()
            .with_time(KEEPALIVE_AFTER)
            .with_interval(KEEPALIVE_EVERY);
        socket2::SockRef::from(&stream)
            .set_tcp_keepalive(&keepalive)
            .map_err(io_fault)?;
        let info = introduction(who, database);
        let (connection, driver) = match &self.tls {
            None => boxed(MultiplexedConnection::new_with_config(&info, stream, config()).await?),
            Some(tls) => {
                let name = ServerName::try_from(host.name.clone()).map_err(|_| {
                    lost(
                        io::ErrorKind::InvalidInput,
                        "the host's name cannot be in a certificate",
                    )
                })?;
                let stream = tls.connect(name, stream).await.map_err(io_fault)?;
                boxed(MultiplexedConnection::new_with_config(&info, stream, config()).await?)
            }
        };
        Ok(self.drive(connection, driver))
    }

    /// The driver ends when the last caller has let go of the connection, when it breaks, or when it is cut. It does not
    /// heed the task set's signal: what stops then still has answers to get and acknowledgements to send.
    fn drive(&self, connection: MultiplexedConnection, driver: BoxFuture<'static, ()>) -> Live {
        let (ended, cut) = (Ended::default(), StopSignal::default());
        let (mark, signal) = (ended.clone(), cut.clone());
        self.tasks.spawn("redis connection", async move {
            signal.run_until(driver).await;
            mark.set();
        });
        Live::single(connection, ended, cut)
    }
}

async fn ask(live: &Live, command: &Cmd) -> Result<redis::Value, Fault> {
    live.ask(super::live::Ask::One(command))
        .await
        .and_then(value::checked)
}

fn boxed(
    (connection, driver): (MultiplexedConnection, impl Future<Output = ()> + Send + 'static),
) -> (MultiplexedConnection, BoxFuture<'static, ()>) {
    (connection, Box::pin(driver))
}

/// Limits are ours, per call; the connection itself has none.
fn config() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_response_timeout(None)
        .set_connection_timeout(None)
        .set_pipeline_buffer_size(QUEUE)
}

/// The older protocol, which every server and proxy speaks; no client name, which older servers complain about.
fn introduction(who: &Credentials, database: i64) -> RedisConnectionInfo {
    let mut info = RedisConnectionInfo::default()
        .set_protocol(ProtocolVersion::RESP2)
        .set_skip_set_lib_name()
        .set_db(database);
    if !who.password.is_empty() {
        info = info.set_password(who.password.expose());
        if !who.username.is_empty() {
            info = info.set_username(&who.username);
        }
    }
    info
}

fn io_fault(error: io::Error) -> Fault {
    Fault::Lost(error.into())
}

fn lost(kind: io::ErrorKind, reason: &'static str) -> Fault {
    io_fault(io::Error::new(kind, reason))
}
