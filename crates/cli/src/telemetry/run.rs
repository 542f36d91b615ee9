//! The span of a run, and its way to the collector.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU64, Ordering},
};

use opentelemetry::{
    Context, InstrumentationScope, Key, KeyValue,
    trace::{Span as _, SpanBuilder, SpanKind, Status, TraceContextExt as _, Tracer as _, TracerProvider as _},
};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{BatchSpanProcessor, SdkTracer, SdkTracerProvider, Span},
};
use tokio::runtime::Handle;
use trueup_model::AccountId;
use trueup_planner::Plan;

use super::{
    collector::{Collector, Sent, Watched},
    settings::{self, Asked, Settings},
};
use crate::{environment, terminal::Terminal};

const NAME: &str = "service.name";
const VERSION: &str = "service.version";

/// The run of this process, where it is traced. As with logs, whoever has something to tell should not have to be handed
/// where to.
static RUN: OnceLock<Run> = OnceLock::new();

/// A traced run.
#[derive(Debug)]
pub(super) struct Run {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    /// Holds the run's own span.
    context: Context,
    settings: Settings,
    /// How many spans there are to send.
    begun: AtomicU64,
    sent: Arc<Sent>,
}

impl Run {
    fn new(command: &'static str, settings: Settings, runtime: &Handle) -> Result<Self, &'static str> {
        let sent = Arc::new(Sent::default());
        let collector = Collector::new(runtime.clone(), settings.timeout, Arc::clone(&sent))?;
        // Its own error would quote the address, which may hold a password.
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(settings.timeout)
            .with_http_client(collector)
            .build()
            .map_err(
                |_| "the address in OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT makes no sense",
            )?;
        let watched = Watched::new(exporter, Arc::clone(&sent));
        let provider = SdkTracerProvider::builder()
            .with_resource(resource())
            .with_span_processor(BatchSpanProcessor::builder(watched).build())
            .build();
        let scope = InstrumentationScope::builder("trueup").with_version(env!("CARGO_PKG_VERSION"));
        let tracer = provider.tracer_with_scope(scope.build());
        let builder = SpanBuilder::from_name(format!("trueup {command}"))
            .with_kind(SpanKind::Internal)
            .with_attributes([KeyValue::new("trueup.command", command)]);
        let span = tracer.build_with_context(builder, &Context::new());
        let begun = AtomicU64::new(u64::from(span.span_context().is_sampled()));
        Ok(Self {
            provider,
            tracer,
            context: Context::new().with_span(span),
            settings,
            begun,
            sent,
        })
    }

    /// Begins a span below that of the run.
    pub(super) fn call(&self, name: String, attributes: impl IntoIterator<Item = KeyValue>) -> Span {
        let builder = SpanBuilder::from_name(name)
            .with_kind(SpanKind::Client)
            .with_attributes(attributes);
        let span = self.tracer.build_with_context(builder, &self.context);
        let counts = u64::from(span.span_context().is_sampled());
        self.begun.fetch_add(counts, Ordering::Relaxed);
        span
    }
}

/// The run, where it is traced.
pub(super) fn current() -> Option<&'static Run> {
    RUN.get()
}

/// Who sends: what the environment says, else trueup.
fn resource() -> Resource {
    let given = Resource::builder().build();
    let name = environment::opentelemetry("OTEL_SERVICE_NAME").or_else(|| {
        let name = given.get(&Key::new(NAME)).map(|name| name.as_str().into_owned());
        // The library makes one up where there is none.
        name.filter(|name| !name.starts_with("unknown_service"))
    });
    let version = given.get(&Key::new(VERSION));
    let version = version.unwrap_or_else(|| env!("CARGO_PKG_VERSION").into());
    // The library puts a name in OTEL_RESOURCE_ATTRIBUTES before that of the variable which is there for it.
    Resource::builder()
        .with_service_name(name.unwrap_or_else(|| "trueup".to_owned()))
        .with_attribute(KeyValue::new(VERSION, version))
        .build()
}

/// Begins the trace of a run, where the environment asks for one.
pub(crate) fn begin(command: &'static str, runtime: &Handle, terminal: &Terminal) {
    let run = match settings::read(environment::opentelemetry) {
        Asked::Nothing => return,
        Asked::Impossible(why) => Err(why),
        Asked::Traces(settings) => Run::new(command, settings, runtime).map_err(str::to_owned),
    };
    match run {
        // One run in a process.
        Ok(run) => drop(RUN.set(run)),
        Err(why) => terminal.note(&format!("warning: this run is not traced: {why}")),
    }
}

/// Tells which account it is.
pub(crate) fn account(account: &AccountId) {
    if let Some(run) = current() {
        let span = run.context.span();
        span.set_attribute(KeyValue::new("cloud.provider", "aws"));
        span.set_attribute(KeyValue::new("cloud.account.id", account.to_string()));
    }
}

/// Tells which plan it is; of several, the last counts.
pub(crate) fn plan(plan: &Plan) {
    account(&plan.account_id);
    if let Some(run) = current() {
        let digest = KeyValue::new("trueup.plan.digest", plan.digest.clone());
        run.context.span().set_attribute(digest);
    }
}

/// Ends the trace and sees it off, for as long as the settings allow.
pub(crate) fn end(code: u8, terminal: &Terminal) {
    let Some(run) = current() else { return };
    let span = run.context.span();
    span.set_attribute(KeyValue::new("process.exit.code", i64::from(code)));
    // "There are changes" is an answer.
    if !matches!(code, 0 | 2) {
        span.set_status(Status::error(""));
    }
    span.end();
    let in_time = run.provider.shutdown_with_timeout(run.settings.wait).is_ok();
    let begun = run.begun.load(Ordering::Relaxed);
    let lost = begun.saturating_sub(run.sent.spans());
    if lost > 0 {
        let why = match run.sent.failure() {
            Some(why) => why,
            None if in_time => "there were more at once than OTEL_BSP_MAX_QUEUE_SIZE allows".to_owned(),
            None => "it did not answer in time".to_owned(),
        };
        terminal.note(&format!(
            "warning: {lost} of the {begun} spans of this run did not reach the collector: {why}"
        ));
    }
}
