//! The program from outside: the built binary with small shell apps, as a user starts it.

mod calls;
mod demo;
mod flags;
mod help;
mod lifecycle;
mod listing;
mod names;
mod output;
mod refusals;
mod several;
mod support;
