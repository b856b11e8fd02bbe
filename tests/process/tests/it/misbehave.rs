//! Clients and apps that break off, hang, flood and lie.

mod apps;
mod bytes;
mod clients;
mod grpc;
mod idle;
mod transactions;
