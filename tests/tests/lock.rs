//! `--lock`: one apply at a time, wherever it runs. The store is moto's S3, looked into over plain HTTP.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    process::Child,
    time::{Duration, Instant},
};

use serde_json::Value;
use trueup_tests::{
    binary::{Run, Workspace},
    python,
    service::Service,
};

const MANIFEST: &str = "version: 1\naccount: {id: \"123456789012\"}\ngroups: {readers: {}, writers: {}}\n\
                        users: {a: {groups: [readers]}, b: {groups: [readers]}, c: {groups: [writers]}, d: {groups: [writers]}}\n";
const LOCK: &str = "s3://acme-locks/prod/iam.lock";

/// The store does not look at a signature, and asks for one.
const KEY: &str = "Authorization: AWS4-HMAC-SHA256 Credential=test/20261120/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";

/// A store with an empty bucket, and a manifest.
struct Scene {
    workspace: Workspace,
    store: Service,
}

impl Scene {
    fn new() -> Self {
        let scene = Self {
            workspace: Workspace::new(),
            store: Service::moto(),
        };
        scene.workspace.write("trueup.yaml", MANIFEST);
        let (status, body) = scene.request("PUT", "/acme-locks", "");
        assert_eq!(status, 200, "{body}");
        scene
    }

    /// One request to the store, without any client's opinion.
    fn request(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.store.address()).unwrap();
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{KEY}");
        write!(stream, "{head}\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body.to_owned())
    }

    /// What stands at the place of the lock.
    fn lock(&self) -> Option<Value> {
        let (status, body) = self.request("GET", "/acme-locks/prod/iam.lock", "");
        (status == 200).then(|| serde_json::from_str(&body).unwrap())
    }

    fn reach<'w>(&self, run: Run<'w>) -> Run<'w> {
        python::credentials(run)
            .env("AWS_ENDPOINT_URL_S3", self.store.endpoint())
            .env("TRUEUP_LOCK", LOCK)
    }

    /// An apply on a machine of its own: its state directory, and so its local lock, are its own.
    fn apply(&self, account: &str) -> Run<'_> {
        let state = self.workspace.path().join(format!("state-of-{account}"));
        self.reach(self.workspace.trueup())
            .args("apply -q --auto-approve --live")
            .arg(format!("sandbox:{account}.json"))
            .env("TRUEUP_STATE_DIR", state)
    }

    /// An apply that takes a while, from the moment that it holds the lock.
    fn slow_apply(&self, lease: &str) -> Child {
        let child = self
            .apply("slow")
            .args("--lock-lease")
            .arg(lease)
            .env("TRUEUP_SANDBOX_FAULTS", "latency-ms=3000")
            .spawn();
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.lock().is_none() {
            assert!(Instant::now() < deadline, "the lock is never taken");
            std::thread::sleep(Duration::from_millis(20));
        }
        child
    }

    fn end(child: Child) -> (Option<i32>, String) {
        let output = child.wait_with_output().unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    }
}

#[test]
fn a_run_that_holds_the_lock_keeps_others_out_and_gives_it_back() {
    let scene = Scene::new();
    let first = scene.slow_apply("6s");
    let held = scene.lock().unwrap();
    assert_eq!(held["account"], "123456789012");
    assert!(
        held["owner"]["caller"]
            .as_str()
            .unwrap()
            .starts_with("arn:aws:iam::123456789012:"),
        "{held}"
    );
    assert_eq!(held["owner"]["pid"], first.id());
    // Longer than its lease: it is renewed.
    std::thread::sleep(Duration::from_secs(7));
    let refused = scene.apply("other").run();
    assert_eq!(refused.code, Some(6), "{}", refused.render());
    let id = held["id"].as_str().unwrap();
    for words in [
        "is being applied to by another run: arn:aws:iam::123456789012:",
        "process",
        id,
        "force-unlock",
    ] {
        assert!(refused.stderr.contains(words), "{words}: {}", refused.render());
    }
    assert_eq!(refused.stdout, "");
    assert_eq!(Scene::end(first), (Some(0), String::new()));
    assert_eq!(scene.lock(), None, "the lock is given back");
    scene.apply("other").run().expect_exit(0);
    assert_eq!(scene.lock(), None);
}

#[test]
fn a_lock_is_given_back_on_errors_and_signals() {
    let scene = Scene::new();
    let digest = format!("sha256:{}", "0".repeat(64));
    let stale = scene.apply("account").arg("--expect-digest").arg(digest);
    stale.run().expect_exit(4);
    assert_eq!(scene.lock(), None);
    let interrupted = scene.slow_apply("5m");
    scene
        .workspace
        .command("kill")
        .arg("-TERM")
        .arg(interrupted.id().to_string())
        .run()
        .expect_exit(0);
    assert_eq!(Scene::end(interrupted).0, Some(143));
    assert_eq!(scene.lock(), None);
}

#[test]
fn the_lock_of_a_run_that_died_is_free_after_its_lease() {
    let scene = Scene::new();
    let mut died = scene.slow_apply("8s");
    died.kill().unwrap();
    died.wait().unwrap();
    let left = scene.lock().expect("nobody gave it back");
    assert_eq!(scene.apply("other").run().code, Some(6));
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let output = scene.apply("other").run();
        if output.code == Some(0) {
            break;
        }
        assert_eq!(output.code, Some(6), "{}", output.render());
        assert!(
            output.stderr.contains(left["id"].as_str().unwrap()),
            "{}",
            output.render()
        );
        assert!(Instant::now() < deadline, "{}", output.render());
        std::thread::sleep(Duration::from_millis(500));
    }
    assert_eq!(scene.lock(), None);
}

#[test]
fn who_loses_the_lock_stops_before_the_next_write() {
    let scene = Scene::new();
    let slow = scene.slow_apply("6s");
    let id = scene.lock().unwrap()["id"].as_str().unwrap().to_owned();
    let unlock = |id: &str| scene.reach(scene.workspace.trueup()).args("force-unlock").arg(id).run();
    let wrong = unlock("20260101T000000Z-00000000");
    assert_eq!(wrong.code, Some(1), "{}", wrong.render());
    assert!(wrong.stderr.contains(&id), "{}", wrong.render());
    // It may be renewed between being read and being removed.
    let removed = (0..20).map(|_| unlock(&id)).find(|output| output.code == Some(0));
    assert!(
        removed
            .unwrap()
            .stdout
            .contains("which was held by arn:aws:iam::123456789012:")
    );
    let (code, stderr) = Scene::end(slow);
    assert!(matches!(code, Some(5 | 6)), "{code:?}: {stderr}");
    assert!(stderr.contains("was lost: somebody has removed it"), "{stderr}");
    let rest = scene.workspace.trueup().args("drift -q --live sandbox:slow.json").run();
    assert_eq!(rest.code, Some(2), "nothing was left to do: {}", rest.render());
    scene.apply("slow").run().expect_exit(0);
    let gone = unlock(&id);
    assert!(
        gone.stderr
            .contains("there is no lock at s3://acme-locks/prod/iam.lock"),
        "{}",
        gone.render()
    );
}

/// A sandbox takes no credentials, and its lock does.
#[test]
fn a_lock_without_credentials_is_a_matter_of_credentials() {
    let workspace = Workspace::new();
    workspace.write("trueup.yaml", MANIFEST);
    let run = workspace
        .trueup()
        .args("apply -q --auto-approve --live sandbox:account.json")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("TRUEUP_LOCK", LOCK)
        .run();
    assert_eq!(run.code, Some(7), "{}", run.render());
    assert!(
        run.stderr.contains(&format!("cannot take the lock {LOCK}: "))
            && run
                .stderr
                .contains("hint: a lock in S3 takes credentials of AWS, with a sandbox too"),
        "{}",
        run.render()
    );
}

#[test]
fn what_is_no_lock_and_no_bucket_is_said() {
    let scene = Scene::new();
    let nowhere = scene.apply("account").env("TRUEUP_LOCK", "s3://acme-nowhere/x").run();
    assert_eq!(nowhere.code, Some(1), "{}", nowhere.render());
    assert!(
        nowhere
            .stderr
            .contains("cannot take the lock s3://acme-nowhere/x: NoSuchBucket"),
        "{}",
        nowhere.render()
    );
    assert_eq!(scene.request("PUT", "/acme-locks/prod/iam.lock", "hello").0, 200);
    let other = scene.apply("account").run();
    assert_eq!(other.code, Some(1), "{}", other.render());
    assert!(
        other.stderr.contains("what is there is no lock of trueup"),
        "{}",
        other.render()
    );
}
