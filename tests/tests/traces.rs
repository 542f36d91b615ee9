//! Traces for OpenTelemetry: what a collector is sent, and that nothing else depends on it.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
    net::TcpListener,
    path::Path,
    time::{Duration, Instant},
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, KeyValue, any_value::Value},
    trace::v1::{Span, span::SpanKind, status::StatusCode},
};
use prost::Message as _;
use trueup_tests::{
    binary::{Output, Workspace},
    collector::{Collector, Manner, Received},
    python,
    recorder::Recorder,
    service::Service,
    setup,
};

const MANIFEST: &str = r#"
version: 1
account: {id: "123456789012"}
groups:
  developers:
    inline_policies:
      own:
        Version: "2012-10-17"
        Statement: [{Sid: CanaryOfAPolicy, Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::canary-bucket/*"}]
users:
  canary.alice: {login_profile: {}, access_keys: {count: 1}, groups: [developers], tags: {owner: canary-tag}}
"#;

/// Everything that a span may tell.
const RUN: [&str; 5] = [
    "cloud.account.id",
    "cloud.provider",
    "process.exit.code",
    "trueup.command",
    "trueup.plan.digest",
];
const CALL: [&str; 7] = [
    "aws.request_id",
    "error.type",
    "http.request.resend_count",
    "http.response.status_code",
    "rpc.method",
    "rpc.service",
    "rpc.system",
];

fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => panic!("a value of another kind: {other:?}"),
    }
}

fn attributes(of: &[KeyValue]) -> BTreeMap<String, String> {
    let pairs = of.iter().map(|pair| (pair.key.clone(), text(pair.value.as_ref())));
    pairs.collect()
}

/// A trace: who sent it, its run, and the calls below that.
struct Trace {
    resource: BTreeMap<String, String>,
    run: Span,
    calls: Vec<Span>,
}

impl Trace {
    /// What was sent, as one trace of one run. Whatever holds for all traces is held here.
    fn of(received: &[Received]) -> Self {
        let mut spans = Vec::new();
        let mut resources = Vec::new();
        for request in received {
            assert_eq!(request.headers["content-type"], "application/x-protobuf");
            let sent = ExportTraceServiceRequest::decode(request.body.as_slice()).unwrap();
            for of_resource in sent.resource_spans {
                resources.push(attributes(&of_resource.resource.unwrap().attributes));
                for of_scope in of_resource.scope_spans {
                    assert_eq!(of_scope.scope.unwrap().name, "trueup");
                    spans.extend(of_scope.spans);
                }
            }
        }
        resources.dedup();
        assert_eq!(resources.len(), 1, "{resources:?}");
        let (mut runs, calls): (Vec<_>, Vec<_>) = spans.into_iter().partition(|span| span.parent_span_id.is_empty());
        assert_eq!(runs.len(), 1, "{runs:?}");
        let run = runs.remove(0);
        assert_eq!(run.kind(), SpanKind::Internal);
        for call in &calls {
            assert_eq!((&call.trace_id, &call.parent_span_id), (&run.trace_id, &run.span_id));
            assert_eq!(call.kind(), SpanKind::Client);
            let told = attributes(&call.attributes);
            assert_eq!(call.name, format!("{}.{}", told["rpc.service"], told["rpc.method"]));
            assert_eq!(told["rpc.system"], "aws-api");
            assert!(call.start_time_unix_nano >= run.start_time_unix_nano);
            assert!(call.start_time_unix_nano <= call.end_time_unix_nano);
            assert!(call.end_time_unix_nano <= run.end_time_unix_nano);
        }
        for (spans, allowed) in [(std::slice::from_ref(&run), &RUN[..]), (&calls[..], &CALL[..])] {
            for span in spans {
                let told: BTreeSet<_> = span.attributes.iter().map(|pair| pair.key.as_str()).collect();
                let allowed: BTreeSet<_> = allowed.iter().copied().collect();
                assert!(told.is_subset(&allowed), "{}: {told:?}", span.name);
                assert!(span.events.is_empty() && span.links.is_empty(), "{span:?}");
                let message = span.status.as_ref().map_or("", |status| &status.message);
                assert_eq!(message, "", "{}", span.name);
            }
        }
        let resource = resources.remove(0);
        Self { resource, run, calls }
    }

    fn told(&self) -> BTreeMap<String, String> {
        attributes(&self.run.attributes)
    }

    /// The operations that were called, sorted.
    fn operations(&self) -> Vec<String> {
        let mut operations: Vec<_> = self
            .calls
            .iter()
            .map(|call| attributes(&call.attributes)["rpc.method"].clone())
            .collect();
        operations.sort();
        operations
    }
}

fn is_error(span: &Span) -> bool {
    span.status
        .as_ref()
        .is_some_and(|status| status.code() == StatusCode::Error)
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

/// Runs a command with an endpoint for its traces.
fn traced(workspace: &Workspace, line: &str, endpoint: &str, environment: &[(&str, &str)]) -> Output {
    let run = workspace
        .trueup()
        .args(line)
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
    environment
        .iter()
        .fold(run, |run, (name, value)| run.env(name, value))
        .run()
}

#[test]
fn a_run_is_a_span_and_so_is_each_of_its_calls() {
    let workspace = Workspace::new();
    workspace.write("trueup.yaml", MANIFEST);
    let service = Service::sandbox(&workspace, "account.json");
    setup::run("CreateGroup GroupName=developers", &workspace.path(), service.address()).unwrap();
    let recorder = Recorder::before(&service);
    let collector = Collector::listen(Manner::Accepts);
    let run = |line: &str, code: i32| {
        let run = workspace
            .trueup()
            .args(line)
            .env("TRUEUP_ENDPOINT_URL", recorder.endpoint())
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint());
        let output = python::credentials(run).run().expect_exit(code);
        assert!(!output.stderr.contains("warning"), "{}", output.render());
        let received = collector.take();
        assert!(received.iter().all(|request| request.path == "/v1/traces"));
        let mut called = recorder.take();
        called.sort();
        let trace = Trace::of(&received);
        // What the run says it called, what its endpoint was asked, and what its trace tells.
        assert_eq!(trace.operations(), called, "{line}");
        (output, trace)
    };

    let (_, trace) = run("plan --detailed-exitcode --json-into plan.json", 2);
    let plan = json(&workspace.read("plan.json"));
    assert_eq!(plan["reads"]["total"], trace.calls.len());
    assert_eq!(trace.run.name, "trueup plan");
    assert!(!is_error(&trace.run), "to differ is no failure");
    let told = trace.told();
    assert_eq!(told["trueup.command"], "plan");
    assert_eq!(told["process.exit.code"], "2");
    assert_eq!(told["cloud.account.id"], "123456789012");
    assert_eq!(told["trueup.plan.digest"], plan["digest"].as_str().unwrap());
    let answered = trace
        .calls
        .iter()
        .find(|call| call.name == "STS.GetCallerIdentity")
        .unwrap();
    assert_eq!(attributes(&answered.attributes)["http.response.status_code"], "200");
    // A policy that is not there is an answer, and still an error of that call.
    let missing = trace
        .calls
        .iter()
        .find(|call| call.name == "IAM.GetAccountPasswordPolicy")
        .unwrap();
    assert!(is_error(missing));
    assert_eq!(attributes(&missing.attributes)["error.type"], "NoSuchEntity");

    let apply =
        "apply --auto-approve --format json --json-into plan.json --plain-credentials --credentials-dir ../credentials";
    let (output, trace) = run(apply, 0);
    run("plan --json-into after.json", 0);
    let outcome = json(&output.stdout);
    let reads = |file: &str| json(&workspace.read(file))["reads"]["total"].as_u64().unwrap();
    // The account is read before and, but for whose it is, after.
    let said = reads("plan.json") + outcome["calls"].as_u64().unwrap() + reads("after.json") - 1;
    assert_eq!(said, trace.calls.len() as u64, "{:?}", trace.operations());
    assert_eq!(trace.run.name, "trueup apply");
    assert_eq!(trace.told()["process.exit.code"], "0");
    assert_eq!(
        trace.told()["trueup.plan.digest"],
        json(&workspace.read("plan.json"))["digest"].as_str().unwrap()
    );
}

#[test]
fn a_call_that_the_sdk_repeats_is_one_span_that_says_how_often() {
    let workspace = Workspace::new();
    workspace.write("trueup.yaml", MANIFEST);
    let collector = Collector::listen(Manner::Accepts);
    let line = "plan --live sandbox:account.json";
    let faults = ("TRUEUP_SANDBOX_FAULTS", "throttle=0.5,seed=7");
    traced(&workspace, line, &collector.endpoint(), &[faults]).expect_exit(0);
    let trace = Trace::of(&collector.take());
    let told: Vec<_> = trace.calls.iter().map(|call| attributes(&call.attributes)).collect();
    let again = told.iter().filter_map(|told| told.get("http.request.resend_count"));
    assert!(
        again.map(|again| again.parse::<u32>().unwrap()).sum::<u32>() > 2,
        "{told:#?}"
    );
    assert!(told.iter().all(|told| !told["aws.request_id"].is_empty()), "{told:#?}");
}

#[test]
fn a_run_that_fails_is_a_span_that_failed() {
    let workspace = Workspace::new();
    workspace.write("trueup.yaml", MANIFEST);
    let collector = Collector::listen(Manner::Accepts);
    let line = "plan --live sandbox:account.json";
    traced(
        &workspace,
        "apply --auto-approve --live sandbox:account.json",
        &collector.endpoint(),
        &[],
    )
    .expect_exit(1);
    let trace = Trace::of(&collector.take());
    assert!(is_error(&trace.run));
    assert_eq!(trace.told()["process.exit.code"], "1");

    workspace.write("trueup.yaml", MANIFEST.replace("123456789012", "210987654321"));
    traced(&workspace, line, &collector.endpoint(), &[]).expect_exit(7);
    let trace = Trace::of(&collector.take());
    assert_eq!(trace.told()["process.exit.code"], "7");
    assert_eq!(trace.told()["cloud.account.id"], "123456789012");
    assert!(!trace.told().contains_key("trueup.plan.digest"));
    assert_eq!(trace.operations(), ["GetCallerIdentity"]);

    // A manifest that nobody can read asks no account, and the run is a span all the same.
    workspace.write("trueup.yaml", "version: 1\nuser: {}\n");
    traced(&workspace, line, &collector.endpoint(), &[]).expect_exit(1);
    let trace = Trace::of(&collector.take());
    assert_eq!(trace.calls.len(), 0);
    assert!(is_error(&trace.run));
}

fn files_below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(std::fs::read_to_string(&path).unwrap());
        }
    }
    found
}

#[test]
fn a_trace_holds_no_secret_and_nothing_of_the_account_but_its_id() {
    let workspace = Workspace::new();
    workspace.write("trueup.yaml", MANIFEST);
    let collector = Collector::listen(Manner::Accepts);
    let line =
        "apply --live sandbox:account.json --auto-approve --plain-credentials --credentials-dir ../credentials -vvv";
    let environment = [
        ("TRUEUP_SANDBOX_FAULTS", "throttle=0.2,seed=3"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20canary-token"),
    ];
    let output = traced(&workspace, line, &collector.endpoint(), &environment).expect_exit(0);
    assert!(!output.stderr.contains("canary-token"), "{}", output.render());
    let files = files_below(&workspace.path().join("../credentials"));
    let credentials: Vec<_> = files
        .iter()
        .flat_map(|file| file.lines().skip(1))
        .flat_map(|line| line.split(','))
        .filter(|field| field.len() >= 16 && !field.starts_with("http"))
        .collect();
    // A password, the id of a key, and the key.
    assert!(credentials.len() >= 3, "{files:?}");
    let received = collector.take();
    let trace = Trace::of(&received);
    for operation in ["CreateLoginProfile", "CreateAccessKey", "PutGroupPolicy"] {
        assert!(
            trace.operations().iter().any(|called| called == operation),
            "{operation}"
        );
    }
    for request in received {
        assert_eq!(request.headers["authorization"], "Bearer canary-token");
        let holds = |secret: &str| {
            request
                .body
                .windows(secret.len())
                .any(|window| window == secret.as_bytes())
        };
        for secret in credentials
            .iter()
            .copied()
            .chain(["canary", "Canary", "AKIA", "developers", "s3:"])
        {
            assert!(!holds(secret), "{secret}");
        }
        assert!(holds("CreateLoginProfile"), "looked at the wrong bytes");
    }
}

#[test]
fn the_environment_decides_by_opentelemetrys_rules() {
    let workspace = Workspace::new();
    workspace.write("trueup.yaml", MANIFEST);
    let collector = Collector::listen(Manner::Accepts);
    let whoami = |environment: &[(&str, &str)]| {
        let output = traced(
            &workspace,
            "whoami --live sandbox:a.json",
            &collector.endpoint(),
            environment,
        );
        let output = output.expect_exit(0);
        (output, collector.take())
    };
    let service = |received: &[Received]| Trace::of(received).resource["service.name"].clone();

    let (_, received) = whoami(&[]);
    let resource = Trace::of(&received).resource;
    assert_eq!(resource["service.name"], "trueup");
    assert_eq!(
        resource["service.version"],
        env!("CARGO_PKG_VERSION").replace("0.0.0", "0.1.0")
    );

    let (_, received) = whoami(&[("OTEL_RESOURCE_ATTRIBUTES", "service.name=nightly,team=platform")]);
    assert_eq!(Trace::of(&received).resource["team"], "platform");
    assert_eq!(service(&received), "nightly");
    let named = [
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=nightly"),
        ("OTEL_SERVICE_NAME", "drift"),
    ];
    assert_eq!(service(&whoami(&named).1), "drift");

    // The address of traces alone is taken as it is.
    let own = format!("{}/here", collector.endpoint());
    let (_, received) = whoami(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &own),
    ]);
    assert_eq!(received[0].path, "/here");

    let (_, mut received) = whoami(&[("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")]);
    assert_eq!(received[0].headers["content-encoding"], "gzip");
    let mut body = Vec::new();
    flate2::read::GzDecoder::new(&*received[0].body)
        .read_to_end(&mut body)
        .unwrap();
    received[0].body = body;
    assert_eq!(Trace::of(&received).run.name, "trueup whoami");

    for off in [
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_TRACES_SAMPLER", "always_off"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
    ] {
        let (output, received) = whoami(&[off]);
        assert_eq!((received.len(), &*output.stderr), (0, ""), "{off:?}");
    }
    for (name, value) in [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_TRACES_EXPORTER", "zipkin"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "not an address"),
    ] {
        let (output, received) = whoami(&[(name, value)]);
        assert_eq!(received.len(), 0, "{name}");
        let lines: Vec<_> = output.stderr.lines().collect();
        assert_eq!(lines.len(), 1, "{name}: {}", output.render());
        assert!(
            lines[0].starts_with("warning: this run is not traced: "),
            "{}",
            output.render()
        );
        assert!(!lines[0].contains(value), "{}", output.render());
    }

    // What asks no account is not traced, and waits for nobody.
    traced(&workspace, "validate", &collector.endpoint(), &[]).expect_exit(0);
    assert!(collector.take().is_empty());
}

#[test]
fn a_collector_that_fails_changes_neither_the_result_nor_the_exit_code() {
    let workspace = Workspace::new();
    workspace.write("trueup.yaml", MANIFEST);
    let line = "plan --detailed-exitcode --live sandbox:account.json";
    let untraced = workspace.trueup().args(line).run().expect_exit(2);
    let broken = Collector::listen(Manner::Answers(500));
    let busy = Collector::listen(Manner::Answers(503));
    let hanging = Collector::listen(Manner::Hangs);
    // A port that was free a moment ago.
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    for (authority, why) in [
        (broken.authority(), "it answered 500"),
        (busy.authority(), "it answered 503"),
        (closed, "it could not be reached"),
        (hanging.authority(), "it did not answer in time"),
    ] {
        // Neither what stands in the address nor in the headers may be told.
        let endpoint = format!("http://canary:canary@{authority}");
        let headers = ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=canary");
        let began = Instant::now();
        let output = traced(&workspace, line, &endpoint, &[headers]).expect_exit(2);
        // Two seconds for the collector, the rest for the run on a busy machine.
        assert!(
            began.elapsed() < Duration::from_secs(12),
            "{why}: {:?}",
            began.elapsed()
        );
        assert_eq!(output.stdout, untraced.stdout, "{why}");
        let warning = output.stderr.strip_prefix(&untraced.stderr).unwrap();
        assert_eq!(warning.lines().count(), 1, "{why}: {warning}");
        assert!(
            warning.starts_with("warning: ") && warning.contains(why),
            "{why}: {warning}"
        );
        assert!(!warning.contains("canary"), "{warning}");
        // Whoever asked for quiet has it.
        let short = ("OTEL_EXPORTER_OTLP_TIMEOUT", "200");
        let quiet = traced(&workspace, &format!("{line} -q"), &endpoint, &[short]).expect_exit(2);
        assert_eq!(quiet.stderr, "", "{why}");
    }
}
