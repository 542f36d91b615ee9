//! What a client really sends: a proxy in front of a service that writes down every operation.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use crate::{
    service::Service,
    wire::{self, Answer},
};

/// A running proxy.
#[derive(Debug)]
pub struct Recorder {
    address: SocketAddr,
    operations: Arc<Mutex<Vec<String>>>,
    hangs: Arc<AtomicBool>,
}

/// What a recorder does beside recording.
#[derive(Debug, Clone, Copy)]
enum Mischief {
    None,
    /// Refuses one operation.
    Refuses(&'static str),
    /// Never answers the call of this number and those that come after it; the first of them reaches the service or
    /// does not.
    Hangs {
        at: usize,
        reaches: bool,
    },
}

impl Recorder {
    /// Listens on a free port for what is meant for `service`.
    ///
    /// # Panics
    ///
    /// When no port is free.
    pub fn before(service: &Service) -> Self {
        Self::with(service, Mischief::None)
    }

    /// The same, and answers one operation as IAM answers those who may not call it.
    ///
    /// # Panics
    ///
    /// When no port is free.
    pub fn refusing(service: &Service, operation: &'static str) -> Self {
        Self::with(service, Mischief::Refuses(operation))
    }

    /// The same, and never answers the call of this number (from 0) or any that comes after it. Whether that call still
    /// reaches the service is what `reaches` says: so a client can be killed before or after any call takes effect.
    ///
    /// # Panics
    ///
    /// When no port is free.
    pub fn hanging(service: &Service, at: usize, reaches: bool) -> Self {
        Self::with(service, Mischief::Hangs { at, reaches })
    }

    /// Whether a call has come that is never answered.
    pub fn hangs(&self) -> bool {
        self.hangs.load(Ordering::SeqCst)
    }

    fn with(service: &Service, mischief: Mischief) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let operations = Arc::new(Mutex::new(Vec::new()));
        let hangs = Arc::new(AtomicBool::new(false));
        let (upstream, log) = (service.address(), Arc::clone(&operations));
        let hanging = Arc::clone(&hangs);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (log, hanging) = (Arc::clone(&log), Arc::clone(&hanging));
                // A client that hangs up ends its own thread and nothing else.
                thread::spawn(move || relay(client, upstream, mischief, &log, &hanging));
            }
        });
        Self {
            address,
            operations,
            hangs,
        }
    }

    /// Where it listens, as an endpoint.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All operations since the last time they were taken, in the order of their arrival.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.operations.lock().expect("no thread fails while it holds the log"))
    }
}

fn access_denied(operation: &str) -> Answer {
    let message = format!("User: arn:aws:iam::123456789012:user/deploy is not authorized to perform: iam:{operation}");
    Answer {
        status: 403,
        body: format!(
            "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type>\
             <Code>AccessDenied</Code><Message>{message}</Message></Error>\
             <RequestId>00000000-0000-4000-8000-000000000000</RequestId></ErrorResponse>"
        ),
    }
}

fn relay(
    client: TcpStream,
    upstream: SocketAddr,
    mischief: Mischief,
    log: &Mutex<Vec<String>>,
    hanging: &AtomicBool,
) -> std::io::Result<()> {
    let mut requests = BufReader::new(client.try_clone()?);
    let mut client = client;
    loop {
        let mut length = 0;
        let mut line = String::new();
        loop {
            line.clear();
            if requests.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().map_err(std::io::Error::other)?;
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        requests.read_exact(&mut body)?;
        let form = String::from_utf8_lossy(&body);
        let operation = form.split('&').find_map(|pair| pair.strip_prefix("Action="));
        let operation = operation.unwrap_or("no operation");
        let number = {
            let mut log = log.lock().expect("no thread fails while it holds the log");
            log.push(operation.to_owned());
            log.len() - 1
        };
        let answer = match mischief {
            Mischief::Refuses(refused) if operation == refused => access_denied(operation),
            Mischief::Hangs { at, reaches } if number >= at => {
                if reaches && number == at {
                    wire::post(upstream, &form)?;
                }
                hanging.store(true, Ordering::SeqCst);
                loop {
                    thread::park();
                }
            }
            _ => wire::post(upstream, &form)?,
        };
        write!(
            client,
            "HTTP/1.1 {} -\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n{}",
            answer.status,
            answer.body.len(),
            answer.body
        )?;
    }
}
