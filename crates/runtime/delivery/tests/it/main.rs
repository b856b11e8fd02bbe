//! Deliveries from a broker to an app, with a broker in memory, one that a test holds in its hand, and an app that does
//! what the test says.

mod app;
mod bulk;
mod choice;
mod end;
mod fake_broker;
mod health;
mod logs;
mod outbox;
mod rig;
mod single;
mod stream;
mod trouble;
