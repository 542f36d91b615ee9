//! Logs on stderr. Results and errors are no logs and never pass here.

use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::args::{LogFormat, OutputArgs};

/// Starts logging. `-vv` shows what trueup does, `-vvv` every detail of it.
///
/// INVARIANT: the SDK is never asked for more than `info`, since its finer logs hold requests, and requests hold
/// passwords.
pub(crate) fn start(args: &OutputArgs) {
    let (ours, others) = match (args.quiet, args.verbose) {
        (true, _) => (LevelFilter::ERROR, LevelFilter::OFF),
        (false, 0 | 1) => (LevelFilter::WARN, LevelFilter::OFF),
        (false, 2) => (LevelFilter::DEBUG, LevelFilter::WARN),
        (false, _) => (LevelFilter::TRACE, LevelFilter::INFO),
    };
    let filter = Targets::new().with_default(others).with_targets(
        [
            "trueup",
            "trueup_manifest",
            "trueup_planner",
            "trueup_reader",
            "trueup_executor",
            "trueup_sandbox",
        ]
        .map(|target| (target, ours)),
    );
    let registry = tracing_subscriber::registry().with(filter);
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false);
    match args.log_format {
        LogFormat::Text => registry.with(layer.without_time()).init(),
        LogFormat::Json => registry.with(layer.json()).init(),
    }
}
