//! `trueup mfa` on a terminal, with a real authenticator: QR codes that are read as a camera would, and codes of RFC
//! 6238.

use std::{process::Command, thread, time::Duration};

use regex_lite::Regex;
use trueup_tests::{
    binary::{Output, Workspace},
    programs, python, qr,
    service::Service,
    setup,
    terminal::OnTerminal,
    wire,
};

const LIVE: &str = "--live sandbox:account.json";

/// An account with these calls made.
fn account(calls: &str) -> Workspace {
    let workspace = Workspace::new();
    let service = Service::sandbox(&workspace, "account.json");
    setup::run(calls, &workspace.path(), service.address()).unwrap();
    drop(service);
    workspace
}

fn trueup(workspace: &Workspace, arguments: &str, stdin: &str) -> Output {
    workspace.trueup().args(arguments).stdin(stdin).run()
}

/// The serials of a user's devices, as anybody's client is told.
fn devices_of(workspace: &Workspace, user: &str) -> Vec<String> {
    let service = Service::sandbox(workspace, "account.json");
    let answer = service.call("ListMFADevices", &[("UserName", user)]);
    wire::elements(&answer.body, "SerialNumber").collect()
}

/// The serials of devices that nobody has.
fn unassigned(workspace: &Workspace) -> Vec<String> {
    let service = Service::sandbox(workspace, "account.json");
    let answer = service.call("ListVirtualMFADevices", &[("AssignmentStatus", "Unassigned")]);
    wire::elements(&answer.body, "SerialNumber").collect()
}

fn seed(text: &str) -> String {
    let line = Regex::new(r"(?m)^Seed: ([A-Z2-7]{64})\r?$").unwrap();
    line.captures(text).unwrap_or_else(|| panic!("no seed:\n{text}"))[1].to_owned()
}

/// Waits for the seed, and types the codes that follow so many steps after now.
fn type_codes(terminal: &mut OnTerminal, seed: &str, steps: [u64; 2], times: usize) {
    for (prompt, steps) in ["First code: ", "Second code: "].into_iter().zip(steps) {
        terminal.wait_for(prompt, times);
        terminal.types(&setup::totp(seed, steps).unwrap());
    }
}

#[test]
fn the_loop_from_the_screen_to_the_account_closes() {
    let workspace = account("CreateUser UserName=alice");
    for (color, device) in [("always", "alice"), ("never", "alice-second")] {
        let mut terminal = OnTerminal::trueup(
            &workspace,
            &format!("mfa enroll alice --device {device} --color {color} {LIVE}"),
        );
        terminal.wait_for("First code: ", 1);
        let screen = terminal.screen();
        let seed = seed(&screen);
        assert_eq!(
            qr::on_screen(&screen),
            format!("otpauth://totp/{device}@123456789012?secret={seed}")
        );
        type_codes(&mut terminal, &seed, [0, 1], 1);
        let (code, screen) = terminal.end();
        assert_eq!(code, Some(0), "{screen}");
        assert!(
            screen.contains(&format!("has the MFA device arn:aws:iam::123456789012:mfa/{device}.")),
            "{screen}"
        );
    }
    let expected = ["alice", "alice-second"].map(|name| format!("arn:aws:iam::123456789012:mfa/{name}"));
    assert_eq!(devices_of(&workspace, "alice"), expected);
}

#[test]
fn a_png_holds_the_same_code_and_goes_at_the_end() {
    let workspace = account("CreateUser UserName=alice");
    let mut terminal = OnTerminal::trueup(&workspace, &format!("mfa enroll alice --qr-png code.png {LIVE}"));
    terminal.wait_for("First code: ", 1);
    let seed = seed(&terminal.screen());
    let path = workspace.path().join("code.png");
    let text = qr::in_png(&std::fs::read(&path).unwrap());
    assert!(text.ends_with(&format!("?secret={seed}")), "{text}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    type_codes(&mut terminal, &seed, [0, 1], 1);
    let (code, screen) = terminal.end();
    assert_eq!(code, Some(0), "{screen}");
    assert!(!path.exists());
}

#[test]
fn codes_that_cannot_be_are_refused_before_they_are_sent() {
    let workspace = account("CreateUser UserName=alice");
    let mut terminal = OnTerminal::trueup(&workspace, &format!("mfa enroll alice {LIVE}"));
    terminal.wait_for("First code: ", 1);
    let seed = seed(&terminal.screen());
    let code = |steps| setup::totp(&seed, steps).unwrap();
    terminal.types("12345");
    terminal.wait_for("A code is six digits.", 1);
    terminal.wait_for("First code: ", 2);
    terminal.types(&code(1));
    terminal.wait_for("Second code: ", 1);
    terminal.types(&code(1));
    terminal.wait_for("That is the first code again; the next one comes in ", 1);
    terminal.wait_for("Second code: ", 2);
    // In the wrong order, which only IAM can tell.
    terminal.types(&code(0));
    terminal.wait_for("These codes are not accepted; a new one comes in ", 1);
    terminal.wait_for("First code: ", 3);
    terminal.types(&code(1));
    terminal.wait_for("That code was used already", 1);
    terminal.wait_for("First code: ", 4);
    terminal.types(&code(2));
    terminal.wait_for("Second code: ", 3);
    terminal.types(&code(3));
    let (code, screen) = terminal.end();
    assert_eq!(code, Some(0), "{screen}");
    assert_eq!(devices_of(&workspace, "alice").len(), 1);
}

#[test]
fn whoever_gives_up_leaves_nothing_behind() {
    let workspace = account("CreateUser UserName=alice");
    let enroll = format!("mfa enroll alice --qr-png code.png {LIVE}");
    // Ctrl-C, and the end of input.
    for (key, code) in [(b"\x03", 130), (b"\x04", 1)] {
        let mut terminal = OnTerminal::trueup(&workspace, &enroll);
        terminal.wait_for("First code: ", 1);
        terminal.presses(key);
        let (ended, screen) = terminal.end();
        assert_eq!(ended, Some(code), "{screen}");
        assert!(screen.contains("the unfinished device was removed again"), "{screen}");
        assert!(unassigned(&workspace).is_empty() && !workspace.path().join("code.png").exists());
    }
    let wrong = trueup(&workspace, &enroll, "000001\n000002\n000003\n000004\n000005\n000006\n").expect_exit(1);
    assert!(
        wrong.stderr.contains("3 pairs of codes were not accepted"),
        "{}",
        wrong.render()
    );
    assert!(wrong.stderr.contains("hint: see that the clock"), "{}", wrong.render());
    assert!(unassigned(&workspace).is_empty() && devices_of(&workspace, "alice").is_empty());
}

#[test]
fn what_a_killed_enrolment_leaves_is_replaced_by_the_next() {
    let workspace = account("CreateUser UserName=alice\nCreateVirtualMFADevice VirtualMFADeviceName=somebodys");
    let terminal = OnTerminal::trueup(&workspace, &format!("mfa enroll alice {LIVE}"));
    terminal.wait_for("First code: ", 1);
    let killed = Command::new("kill").args(["-9", &terminal.process()]).status().unwrap();
    assert!(killed.success());
    terminal.end();
    assert_eq!(unassigned(&workspace).len(), 2);

    let mut terminal = OnTerminal::trueup(&workspace, &format!("mfa enroll alice {LIVE}"));
    terminal.wait_for("First code: ", 1);
    let screen = terminal.screen();
    assert!(
        screen.contains("replaced the device `alice` that an earlier enrolment left"),
        "{screen}"
    );
    type_codes(&mut terminal, &seed(&screen), [0, 1], 1);
    assert_eq!(terminal.end().0, Some(0));
    assert_eq!(devices_of(&workspace, "alice").len(), 1);

    // What may be somebody else's is left alone.
    let refused = trueup(&workspace, &format!("mfa enroll alice --device somebodys {LIVE}"), "").expect_exit(1);
    assert!(
        refused.stderr.contains("may be somebody's enrolment under way"),
        "{}",
        refused.render()
    );
    assert_eq!(unassigned(&workspace).len(), 1);
}

#[test]
fn an_account_that_is_still_busy_is_waited_for() {
    let workspace = account("CreateUser UserName=alice");
    let service = Service::sandbox_with(&workspace, "account.json", "unmodifiable=2");
    setup::run(
        "CreateLoginProfile UserName=alice Password=Correct-horse-7-battery",
        &workspace.path(),
        service.address(),
    )
    .unwrap();
    let run = workspace
        .trueup()
        .args("mfa enroll alice")
        .env("TRUEUP_ENDPOINT_URL", service.endpoint());
    let mut child = python::credentials(run).spawn_typing();
    // Through pipes, as a script would.
    let (mut keyboard, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut shown = String::new();
    while !shown.contains("Seed: ") || !shown.ends_with('\n') {
        let mut buffer = [0; 4096];
        let read = std::io::Read::read(&mut screen, &mut buffer).unwrap();
        assert!(read > 0, "it ended:\n{shown}");
        shown.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    let seed = seed(&shown);
    for steps in [0, 1] {
        let line = format!("{}\n", setup::totp(&seed, steps).unwrap());
        std::io::Write::write_all(&mut keyboard, line.as_bytes()).unwrap();
    }
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("IAM is still busy with an earlier change"), "{said}");
}

#[test]
fn a_lost_device_is_taken_away_and_another_enrolled() {
    let workspace = account("CreateUser UserName=alice");
    let enroll = |workspace: &Workspace| {
        let mut terminal = OnTerminal::trueup(workspace, &format!("mfa enroll alice {LIVE}"));
        terminal.wait_for("First code: ", 1);
        let seed = seed(&terminal.screen());
        type_codes(&mut terminal, &seed, [0, 1], 1);
        let (code, screen) = terminal.end();
        assert_eq!(code, Some(0), "{screen}");
        seed
    };
    let first = enroll(&workspace);
    let again = trueup(&workspace, &format!("mfa enroll alice {LIVE}"), "").expect_exit(1);
    assert!(
        again.stderr.contains("`alice` has the MFA device `alice` already"),
        "{}",
        again.render()
    );
    let refused = trueup(&workspace, &format!("mfa reset alice {LIVE}"), "yes\n").expect_exit(1);
    assert!(refused.stderr.contains("no terminal to ask"), "{}", refused.render());

    for (answer, code) in [("no", 1), ("yes", 0)] {
        let mut terminal = OnTerminal::trueup(&workspace, &format!("mfa reset alice {LIVE}"));
        terminal.wait_for("Enter a value: ", 1);
        terminal.types(answer);
        let (ended, screen) = terminal.end();
        assert_eq!(ended, Some(code), "{screen}");
    }
    assert!(devices_of(&workspace, "alice").is_empty() && unassigned(&workspace).is_empty());
    assert_ne!(enroll(&workspace), first);
}

#[test]
fn a_device_that_is_out_of_step_is_brought_back() {
    let workspace = account("CreateUser UserName=alice");
    let mut terminal = OnTerminal::trueup(&workspace, &format!("mfa enroll alice {LIVE}"));
    terminal.wait_for("First code: ", 1);
    let seed = seed(&terminal.screen());
    type_codes(&mut terminal, &seed, [0, 1], 1);
    assert_eq!(terminal.end().0, Some(0));
    let mut terminal = OnTerminal::trueup(&workspace, &format!("mfa resync alice {LIVE}"));
    type_codes(&mut terminal, &seed, [4, 5], 1);
    let (code, screen) = terminal.end();
    assert_eq!(code, Some(0), "{screen}");
    assert!(screen.contains("is back in step"), "{screen}");
}

#[test]
fn a_seed_for_somebody_elsewhere_is_sealed_and_never_shown() {
    programs::age();
    let workspace = account("CreateUser UserName=robot");
    workspace.command("age-keygen").args("-o ../key").run().expect_exit(0);
    let recipient = workspace
        .command("age-keygen")
        .args("-y ../key")
        .run()
        .expect_exit(0)
        .stdout;
    let arguments = format!(
        "mfa enroll robot --seed-to {} --credentials-dir ../seeds {LIVE}",
        recipient.trim()
    );
    let mut terminal = OnTerminal::trueup(&workspace, &arguments);
    terminal.wait_for("First code: ", 1);
    let screen = terminal.screen();
    let file = Regex::new(r"Seed, sealed: (\S+\.age)")
        .unwrap()
        .captures(&screen)
        .unwrap()[1]
        .to_owned();
    let opened = workspace
        .command("age")
        .args("-d -i ../key")
        .arg(&file)
        .run()
        .expect_exit(0)
        .stdout;
    let seed = seed(&opened);
    assert!(!screen.contains(&seed) && !screen.contains('\u{2588}'), "{screen}");
    type_codes(&mut terminal, &seed, [0, 1], 1);
    assert_eq!(terminal.end().0, Some(0));
    assert_eq!(devices_of(&workspace, "robot").len(), 1);
}

#[test]
fn a_seed_is_not_written_to_a_file_in_clear() {
    let workspace = account("CreateUser UserName=alice");
    let line = format!("trueup mfa enroll alice {LIVE} > seed.txt");
    let refused = workspace.command("sh").arg("-c").arg(line).run().expect_exit(1);
    assert!(
        refused.stderr.contains("the seed would be written to a file in clear"),
        "{}",
        refused.render()
    );
    assert_eq!(workspace.read("seed.txt"), "");
    assert!(unassigned(&workspace).is_empty());
}

#[test]
fn throttling_does_not_end_an_enrolment() {
    let workspace = account("CreateUser UserName=alice");
    let service = Service::sandbox_with(&workspace, "account.json", "throttle=0.4,lost-answer=0.2,seed=3");
    let run = workspace
        .trueup()
        .args("mfa enroll alice")
        .env("TRUEUP_ENDPOINT_URL", service.endpoint());
    let mut child = python::credentials(run).spawn_typing();
    let (mut keyboard, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut shown = String::new();
    while !shown.contains("Seed: ") || !shown.ends_with('\n') {
        let mut buffer = [0; 4096];
        let read = std::io::Read::read(&mut screen, &mut buffer).unwrap();
        assert!(read > 0, "it ended:\n{shown}");
        shown.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    let seed = seed(&shown);
    for steps in [0, 1] {
        let line = format!("{}\n", setup::totp(&seed, steps).unwrap());
        std::io::Write::write_all(&mut keyboard, line.as_bytes()).unwrap();
        thread::sleep(Duration::from_millis(10));
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    drop(service);
    assert_eq!(devices_of(&workspace, "alice").len(), 1);
    assert!(unassigned(&workspace).is_empty());
}
