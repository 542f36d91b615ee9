//! No log holds a password. Alone in its file: what a log takes up is decided for a process as a whole.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod common;

use std::sync::{Arc, Mutex};

use common::*;

/// What is logged, at the level that shows most.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_password_is_in_no_log() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let bench = Bench::new();
    let report = bench
        .run(&plan([
            (create_user("alice"), vec![]),
            (login_profile("alice"), vec![1]),
        ]))
        .await;
    assert_complete(&report);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("IAM.CreateUser"), "the SDK traces its requests");
    assert!(!log.contains("IAM.CreateLoginProfile"), "all but this one");
    let files = bench.credential_files();
    let line = files.values().next().unwrap().lines().nth(1).unwrap();
    let password = line.split(',').nth(1).unwrap().to_owned();
    let encoded = password.replace('@', "%40").replace('+', "%2B").replace('=', "%3D");
    assert!(!log.contains(&password) && !log.contains(&encoded));
}
