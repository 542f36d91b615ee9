//! A command on a pseudo-terminal, and somebody who reads its screen and types.

use std::{
    io::{Read as _, Write as _},
    process::{Child, ChildStdin},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use crate::{binary::Workspace, root};

/// How long anything on the screen is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A command that believes that a person sits before it.
#[derive(Debug)]
pub struct OnTerminal {
    child: Child,
    keyboard: ChildStdin,
    screen: Arc<Mutex<Vec<u8>>>,
}

impl OnTerminal {
    /// Starts `trueup` with these arguments, split at white space.
    ///
    /// # Panics
    ///
    /// When there is no Python to make a pseudo-terminal with.
    pub fn trueup(workspace: &Workspace, arguments: &str) -> Self {
        let mut run = workspace
            .command("python3")
            .arg(root().join("tests/python/on_a_terminal.py"))
            .arg(crate::binary::trueup())
            .env("TERM", "xterm-256color");
        for argument in arguments.split_whitespace() {
            run = run.arg(argument);
        }
        let mut child = run.spawn_typing();
        let keyboard = child.stdin.take().expect("stdin is piped");
        let mut output = child.stdout.take().expect("stdout is piped");
        let screen = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&screen);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read) = output.read(&mut buffer) {
                if read == 0 {
                    break;
                }
                shared
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .extend_from_slice(&buffer[..read]);
            }
        });
        Self {
            child,
            keyboard,
            screen,
        }
    }

    /// What was shown so far.
    pub fn screen(&self) -> String {
        let screen = self.screen.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&screen).into_owned()
    }

    /// Waits until a text was shown for the `times`th time.
    ///
    /// # Panics
    ///
    /// When it does not come.
    #[track_caller]
    pub fn wait_for(&self, text: &str, times: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.screen().matches(text).count() < times {
            assert!(Instant::now() < deadline, "`{text}` does not come:\n{}", self.screen());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Types a line.
    pub fn types(&mut self, line: &str) {
        self.presses(format!("{line}\n").as_bytes());
    }

    /// Presses keys: `\x03` is Ctrl-C, `\x04` the end of input.
    pub fn presses(&mut self, keys: &[u8]) {
        // A command that has ended types no more.
        let _ = self.keyboard.write_all(keys).and_then(|()| self.keyboard.flush());
    }

    /// The process that sits at the terminal, for `kill`. The relay says it first of all, on a line of its own.
    ///
    /// # Panics
    ///
    /// When the relay does not say it.
    #[track_caller]
    pub fn process(&self) -> String {
        self.wait_for("]\r\n", 1);
        let screen = self.screen();
        let id = screen
            .split_once("[process ")
            .and_then(|(_, rest)| rest.split_once(']'));
        id.expect("the relay names the process").0.to_owned()
    }

    /// Waits for the end: the exit code and the whole screen.
    ///
    /// # Panics
    ///
    /// When it does not end.
    #[track_caller]
    pub fn end(mut self) -> (Option<i32>, String) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                // The reading thread may still have a piece in its hands.
                thread::sleep(Duration::from_millis(100));
                return (status.code(), self.screen());
            }
            if Instant::now() >= deadline {
                let _ = self.child.kill();
                panic!("it does not end:\n{}", self.screen());
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}
