//! Accounts that run as processes of their own on loopback: the served sandbox, and moto.

use std::{
    io::{BufRead as _, BufReader},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    binary::{Run, Workspace},
    python,
    wire::{self, Answer},
};

/// A running service. Stopped when dropped.
#[derive(Debug)]
pub struct Service {
    child: Child,
    address: SocketAddr,
}

impl Service {
    /// `trueup sandbox serve` for the account in `file`.
    ///
    /// # Panics
    ///
    /// When it does not say where it listens.
    pub fn sandbox(workspace: &Workspace, file: &str) -> Self {
        Self::sandbox_with(workspace, file, "")
    }

    /// The same, with faults such as `throttle=0.2,seed=7`.
    ///
    /// # Panics
    ///
    /// When it does not say where it listens.
    pub fn sandbox_with(workspace: &Workspace, file: &str, faults: &str) -> Self {
        let mut run = serve(workspace, file);
        if !faults.is_empty() {
            run = run.env("TRUEUP_SANDBOX_FAULTS", faults);
        }
        Self::sandbox_by(run)
    }

    /// The same, with arguments such as `--enforce`, and on the clock of those who sign with theirs.
    ///
    /// # Panics
    ///
    /// When it does not say where it listens.
    pub fn sandbox_now(workspace: &Workspace, file: &str, arguments: &[&str]) -> Self {
        let run = serve(workspace, file).env("TRUEUP_SANDBOX_TIME", "");
        Self::sandbox_by(arguments.iter().fold(run, |run, argument| run.arg(argument)))
    }

    fn sandbox_by(run: Run<'_>) -> Self {
        let mut child = run.spawn();
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("stdout is piped"))
            .read_line(&mut line)
            .expect("stdout can be read");
        let address = line
            .trim()
            .rsplit_once("http://")
            .and_then(|(_, address)| address.trim_end_matches('/').parse().ok());
        let Some(address) = address else {
            let _ = child.kill();
            let output = child.wait_with_output().expect("a command can be waited for");
            panic!(
                "the sandbox does not say where it listens: {line:?}\n{}",
                String::from_utf8_lossy(&output.stderr)
            );
        };
        Self { child, address }
    }

    /// A moto server with an empty account of its own. It knows no AWS managed policies.
    ///
    /// # Panics
    ///
    /// When it does not answer within a minute.
    pub fn moto() -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a port is free")
            .port();
        let child = Command::new(python::interpreter())
            .args(["-m", "moto.server", "--host", "127.0.0.1", "--port"])
            .arg(port.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("moto can be started");
        let service = Self {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
        };
        let deadline = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(service.address).is_err() {
            assert!(Instant::now() < deadline, "moto does not answer");
            thread::sleep(Duration::from_millis(50));
        }
        service
    }

    /// Where it listens, as an endpoint.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// One IAM call.
    ///
    /// # Panics
    ///
    /// When the service cannot be reached.
    pub fn call(&self, operation: &str, parameters: &[(&str, &str)]) -> Answer {
        let parameters: Vec<_> = parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        wire::call(self.address, operation, &parameters).unwrap_or_else(|error| panic!("{operation}: {error}"))
    }
}

fn serve<'w>(workspace: &'w Workspace, file: &str) -> Run<'w> {
    let run = workspace.trueup().args("sandbox serve --port 0 --live");
    run.arg(format!("sandbox:{file}"))
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
