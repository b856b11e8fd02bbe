//! The suite that every component of this kind must pass.
