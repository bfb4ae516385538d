//! `fedgate-demo`: the gateway, lab identity providers and a demo application together, until Ctrl-C.

use std::io::{IsTerminal as _, Write as _, stderr, stdout};
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use fedgate_lab::LabError;
use fedgate_lab::demo::Demo;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Runs the gateway, lab identity providers and a demo application together. Nothing is kept.
#[derive(Debug, Parser)]
#[command(name = "fedgate demo", version)]
struct Arguments {
    /// Where the gateway listens; the others take the ports behind it, or any that are free.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("warn"))
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .without_time()
        .with_target(false)
        .init();
    match run(arguments.listen).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("the demo ended: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(listen: SocketAddr) -> Result<(), LabError> {
    let demo = Demo::start(listen).await?;
    say(&demo.greeting());
    stop_signal().await;
    say("Stopping.");
    demo.stop().await
}

/// Nobody may be listening any more, which is no reason to end.
fn say(text: &str) {
    let _ = writeln!(stdout(), "{text}");
}

async fn stop_signal() {
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
