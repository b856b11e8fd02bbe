//! `limit`: the bare limit's app, proxies, writer and load generator in one program.

use std::{
    error::Error,
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;
use outrigger_base_std::chain;
use outrigger_bench_limit::{
    args::{Cli, LoadArgs, Role, UploadArgs},
    echo, group_writer, grpc_echo,
    hop::{self, Hop, Protocol},
    load,
    serve::Server,
    spin,
};
use serde_json::Value;

fn main() -> ExitCode {
    match run(Cli::parse().role) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where standard error is closed nobody is there to be told.
            let _ = writeln!(io::stderr(), "limit: {}", chain(&*error));
            ExitCode::FAILURE
        }
    }
}

fn run(role: Role) -> Result<(), Box<dyn Error>> {
    match role {
        Role::Echo(args) => serve(echo::start(
            args.listen.listen,
            args.listen.threads,
            args.subscribe.as_ref(),
        )?),
        Role::GrpcEcho(args) => serve(grpc_echo::start(args.listen, args.threads)?),
        Role::HttpHop(args) => serve(hop::start(args.listen.listen, args.listen.threads, args.hop())?),
        Role::GrpcHop(args) => {
            let both = Hop {
                downstream: Protocol::H2,
                upstream: args.upstream,
                upstream_protocol: Protocol::H2,
            };
            serve(hop::start(args.listen.listen, args.listen.threads, both)?)
        }
        Role::GroupWriter(args) => print(&group_writer::run(&args.file, &args.plan())?),
        Role::Load(args) => print(&load(args)?),
        Role::Upload(args) => print(&upload(args)?),
        Role::Spin => {
            spin::spin();
            Ok(())
        }
    }
}

/// Says where it listens, for who started it with port 0, and serves until killed.
fn serve(server: Server) -> Result<(), Box<dyn Error>> {
    let mut out = io::stdout().lock();
    writeln!(out, "listening {}", server.addr())?;
    out.flush()?;
    drop(out);
    server.wait();
    Ok(())
}

fn load(args: LoadArgs) -> Result<Value, Box<dyn Error>> {
    let (target, plan) = args.split();
    Ok(load::run(&load::Target::new(target)?, &plan)?.to_json())
}

fn upload(args: UploadArgs) -> Result<Value, Box<dyn Error>> {
    let length = args.bytes;
    let target = load::Target::new(args.target())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(load::upload(&target, length))?)
}

fn print(value: &Value) -> Result<(), Box<dyn Error>> {
    writeln!(io::stdout(), "{value}")?;
    Ok(())
}
