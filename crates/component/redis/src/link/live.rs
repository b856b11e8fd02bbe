//! One connection while it lives.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use outrigger_base_task::StopSignal;
use redis::{
    Cmd, Pipeline, RedisResult, Value,
    aio::{ConnectionLike, MultiplexedConnection},
    cluster_async::ClusterConnection,
};

use super::cluster::Node;
use crate::fault::Fault;

/// What is asked of a server.
#[derive(Clone, Copy)]
pub(super) enum Ask<'a> {
    /// One command.
    One(&'a Cmd),
    /// Several commands in one go.
    Many(&'a Pipeline),
    /// One command of one node.
    At(&'a Node, &'a Cmd),
}

/// A connection.
pub(super) struct Live {
    wire: Wire,
    ended: Ended,
    cut: StopSignal,
}

/// What carries it.
enum Wire {
    /// One server; the task that drives it is ours.
    Single(MultiplexedConnection),
    /// A cluster; the client library drives one connection for each node and finds its way after changes.
    Cluster(ClusterConnection),
}

/// Says whether the driver of a connection has ended.
#[derive(Clone, Default)]
pub(super) struct Ended(Arc<AtomicBool>);

impl Ended {
    /// Sets it; called when the driver leaves, however it leaves.
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Live {
    pub(super) fn single(connection: MultiplexedConnection, ended: Ended, cut: StopSignal) -> Self {
        Self {
            wire: Wire::Single(connection),
            ended,
            cut,
        }
    }

    pub(super) fn cluster(connection: ClusterConnection, cut: StopSignal) -> Self {
        Self {
            wire: Wire::Cluster(connection),
            ended: Ended::default(),
            cut,
        }
    }

    /// Whether a call has a chance on it.
    pub(super) fn is_alive(&self) -> bool {
        !self.ended.0.load(Ordering::Acquire)
    }

    /// Whether a failed call is a reason for a new one; a cluster's connection mends itself.
    pub(super) fn can_be_replaced(&self) -> bool {
        matches!(self.wire, Wire::Single(_))
    }

    /// Breaks the connection.
    pub(super) fn cut(&self) {
        self.cut.stop();
    }

    /// Sends and waits for the answer. Several commands are answered by one list.
    pub(super) async fn ask(&self, ask: Ask<'_>) -> Result<Value, Fault> {
        let answer = match (&self.wire, ask) {
            (Wire::Single(single), Ask::One(command) | Ask::At(_, command)) => {
                single.clone().send_packed_command(command).await
            }
            (Wire::Single(single), Ask::Many(pipeline)) => single
                .clone()
                .send_packed_commands(pipeline, 0, pipeline.len())
                .await
                .map(Value::Array),
            // Boxed, as this is the rarer way and its futures are large.
            (Wire::Cluster(cluster), ask) => Box::pin(self.ask_cluster(cluster.clone(), ask)).await,
        };
        answer.map_err(Fault::from)
    }

    /// A cluster's connections are not ours to break, but nobody has to wait for their answers.
    async fn ask_cluster(&self, mut cluster: ClusterConnection, ask: Ask<'_>) -> RedisResult<Value> {
        let answer = async {
            match ask {
                Ask::One(command) => cluster.req_packed_command(command).await,
                Ask::Many(pipeline) => cluster
                    .req_packed_commands(pipeline, 0, pipeline.len())
                    .await
                    .map(Value::Array),
                Ask::At(node, command) => cluster.route_command(command.clone(), node.route()).await,
            }
        };
        match self.cut.run_until(answer).await {
            Some(answer) => answer,
            None => Err(std::io::Error::from(std::io::ErrorKind::ConnectionAborted).into()),
        }
    }
}
