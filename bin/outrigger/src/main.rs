//! The outrigger program: parse, assemble, run, drain.

fn main() {}
