//! The scripts of the store. Their texts are ours, their rules are Dapr's.

use crate::script::Script;

/// One script for each kind of write.
#[derive(Debug)]
pub(super) struct Scripts {
    pub(super) set: Script,
    pub(super) set_json: Script,
    pub(super) delete: Script,
    pub(super) delete_json: Script,
    pub(super) transact: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            set: Script::new(include_str!("lua/set.lua")),
            set_json: Script::new(include_str!("lua/set_json.lua")),
            delete: Script::new(include_str!("lua/delete.lua")),
            delete_json: Script::new(include_str!("lua/delete_json.lua")),
            transact: Script::new(include_str!("lua/transact.lua")),
        }
    }
}
