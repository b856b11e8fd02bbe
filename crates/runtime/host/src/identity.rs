//! Who this runtime is.

use std::{net::IpAddr, sync::Arc};

/// The app that a runtime belongs to, and where it is.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The app's id.
    pub app_id: Arc<str>,
    /// The app's namespace; empty where none is set.
    pub namespace: Arc<str>,
    /// Name of this host.
    pub host_name: Arc<str>,
    /// Address that peers reach this runtime at.
    pub host_address: IpAddr,
}

impl Identity {
    /// The namespace, where one is set.
    pub fn namespace(&self) -> Option<&str> {
        Some(&*self.namespace).filter(|namespace| !namespace.is_empty())
    }
}
