//! Tests that start real processes: two machines, kills, misbehaving clients and apps, bad input, drains.
//!
//! Nothing is here; the tests are one binary, `tests/it`. They start the program that `OUTRIGGER_BIN` names, which
//! `cargo xtask test` sets, and, where `OUTRIGGER_TEST_DAPRD` names a `daprd` of Dapr's, that one as a neighbour.
