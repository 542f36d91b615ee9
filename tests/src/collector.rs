//! A collector of OpenTelemetry, as small as it can be: it keeps what it is sent, or misbehaves.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// What a collector does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Accepts it.
    Accepts,
    /// Answers this status.
    Answers(u16),
    /// Reads it and never answers.
    Hangs,
}

/// A request that has come.
#[derive(Debug, Clone)]
pub struct Received {
    /// The path that it was sent to.
    pub path: String,
    /// Its headers, by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// What it holds, as it was on the wire.
    pub body: Vec<u8>,
}

/// A running collector.
#[derive(Debug)]
pub struct Collector {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Collector {
    /// Listens on a free port.
    ///
    /// # Panics
    ///
    /// When no port is free.
    pub fn listen(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let received = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&received);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let log = Arc::clone(&log);
                // A client that hangs up ends its own thread and nothing else.
                thread::spawn(move || serve(client, manner, &log));
            }
        });
        Self { address, received }
    }

    /// Where it listens, without a scheme.
    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    /// Where it listens, as an endpoint.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All requests since the last time they were taken.
    ///
    /// # Panics
    ///
    /// When a thread has failed while it held them.
    pub fn take(&self) -> Vec<Received> {
        std::mem::take(&mut *self.received.lock().expect("no thread fails while it holds them"))
    }
}

fn serve(client: TcpStream, manner: Manner, log: &Mutex<Vec<Received>>) -> std::io::Result<()> {
    let mut requests = BufReader::new(client.try_clone()?);
    let mut client = client;
    loop {
        let mut line = String::new();
        if requests.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut headers = BTreeMap::new();
        loop {
            line.clear();
            requests.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break;
            };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let length = headers.get("content-length").map_or(Ok(0), |length| length.parse());
        let mut body = vec![0; length.map_err(std::io::Error::other)?];
        requests.read_exact(&mut body)?;
        let received = Received { path, headers, body };
        log.lock().expect("no thread fails while it holds them").push(received);
        let status = match manner {
            Manner::Accepts => 200,
            Manner::Answers(status) => status,
            Manner::Hangs => loop {
                thread::park();
            },
        };
        write!(client, "HTTP/1.1 {status} -\r\nContent-Length: 0\r\n\r\n")?;
    }
}
