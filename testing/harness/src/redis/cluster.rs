//! A real Redis cluster.

use std::time::Duration;

use super::RedisServer;
use crate::{Error, FreePort, eventually};

/// How many slots a cluster has.
const SLOTS: usize = 16384;
/// How long the nodes may take to agree; some seconds, as they gossip once a second.
const AGREE_DEADLINE: Duration = Duration::from_secs(60);

/// Some masters without replicas that share the slots.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// Starts `count` masters, and waits until all of them hold the cluster for whole.
    pub async fn start(count: usize) -> Result<Self, Error> {
        let mut nodes = Vec::with_capacity(count);
        let mut buses = Vec::with_capacity(count);
        for _ in 0..count {
            let bus = FreePort::hold()?.release().to_string();
            nodes.push(RedisServer::start_with(&["--cluster-enabled", "yes", "--cluster-port", &bus]).await?);
            buses.push(bus);
        }
        for (number, node) in nodes.iter().enumerate() {
            let (first, end) = (number * SLOTS / count, (number + 1) * SLOTS / count);
            node.ask(&format!("CLUSTER ADDSLOTSRANGE {first} {}", end - 1))
                .await?;
            node.ask(&format!("CLUSTER SET-CONFIG-EPOCH {}", number + 1))
                .await?;
            let meet = format!("CLUSTER MEET 127.0.0.1 {} {}", nodes[0].port(), buses[0]);
            if number > 0 {
                node.ask(&meet).await?;
            }
        }
        let known = format!("cluster_known_nodes:{count}");
        for node in &nodes {
            eventually(AGREE_DEADLINE, || async {
                let info = node.ask("CLUSTER INFO").await?;
                let agreed = info.contains("cluster_state:ok") && info.contains(&known);
                if agreed {
                    Ok(())
                } else {
                    Err(Error::Command {
                        command: "CLUSTER INFO".to_owned(),
                        output: info,
                    })
                }
            })
            .await;
        }
        Ok(Self { nodes })
    }

    /// The masters.
    pub fn nodes(&self) -> &[RedisServer] {
        &self.nodes
    }

    /// The addresses of all, separated by commas.
    pub fn addresses(&self) -> String {
        self.nodes
            .iter()
            .map(RedisServer::address)
            .collect::<Vec<_>>()
            .join(",")
    }
}
