//! The end: what is in hand is finished, and nothing that was acknowledged is lost.

mod hangup;
mod kill;
mod messages;
mod requests;
