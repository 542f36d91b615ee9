//! What the environment asks for, by the names and rules of OpenTelemetry's specification.
//!
//! Only what has to be known before an exporter is made, or what the exporter does not read itself, is read here.

use std::time::Duration;

/// How long the end of a run waits for the collector, unless a variable says otherwise.
const WAIT: Duration = Duration::from_secs(2);

/// How long a request to the collector may take, unless a variable says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The only way in which traces are sent.
const PROTOCOL: &str = "http/protobuf";

/// What the environment asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// No traces.
    Nothing,
    /// Traces.
    Traces(Settings),
    /// Traces in a way that there is none of; why, in words without a variable's value, which may hold a token.
    Impossible(String),
}

/// How traces are sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Settings {
    /// How long a request may take.
    pub(super) timeout: Duration,
    /// How long the end of the run waits.
    pub(super) wait: Duration,
}

/// Reads the settings. `variable` answers a variable that is set and not empty.
pub(super) fn read(variable: impl Fn(&str) -> Option<String>) -> Asked {
    if variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Asked::Nothing;
    }
    match variable("OTEL_TRACES_EXPORTER") {
        Some(exporters) => {
            let mut exporters = exporters.split(',').map(str::trim);
            if !exporters.clone().any(|exporter| exporter == "otlp") {
                return if exporters.all(|exporter| exporter == "none") {
                    Asked::Nothing
                } else {
                    Asked::Impossible("OTEL_TRACES_EXPORTER names none that there is: otlp, none".to_owned())
                };
            }
        }
        None => {
            let endpoint = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
            if endpoint.or_else(|| variable("OTEL_EXPORTER_OTLP_ENDPOINT")).is_none() {
                return Asked::Nothing;
            }
        }
    }
    // What is said of traces alone counts before what is said of everything.
    let of_traces = |rest: &str| {
        let name = format!("OTEL_EXPORTER_OTLP_TRACES_{rest}");
        let general = format!("OTEL_EXPORTER_OTLP_{rest}");
        variable(&name)
            .map(|value| (name, value))
            .or_else(|| variable(&general).map(|value| (general, value)))
    };
    if let Some((name, protocol)) = of_traces("PROTOCOL")
        && protocol != PROTOCOL
    {
        return Asked::Impossible(format!(
            "{name} asks for another protocol than {PROTOCOL}, which is the only one that there is"
        ));
    }
    let timeout = of_traces("TIMEOUT").and_then(|(_, text)| milliseconds(&text));
    let export = variable("OTEL_BSP_EXPORT_TIMEOUT").and_then(|text| milliseconds(&text));
    Asked::Traces(Settings {
        timeout: timeout.unwrap_or(TIMEOUT),
        wait: timeout.into_iter().chain(export).min().unwrap_or(WAIT),
    })
}

/// A duration as the specification writes it. One that makes no sense counts as not set, as the specification asks.
fn milliseconds(text: &str) -> Option<Duration> {
    text.trim()
        .parse()
        .ok()
        .filter(|milliseconds| *milliseconds > 0)
        .map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");

    fn read_from(variables: &[(&str, &str)]) -> Asked {
        read(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    fn traces(timeout: u64, wait: u64) -> Asked {
        Asked::Traces(Settings {
            timeout: Duration::from_millis(timeout),
            wait: Duration::from_millis(wait),
        })
    }

    #[test]
    fn an_endpoint_or_an_exporter_asks_for_traces() {
        for variables in [
            &[ENDPOINT][..],
            &[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://example.com/v1/traces")],
            &[("OTEL_TRACES_EXPORTER", "otlp")],
            &[("OTEL_TRACES_EXPORTER", "console, otlp")],
            &[ENDPOINT, ("OTEL_SDK_DISABLED", "no")],
            &[ENDPOINT, ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")],
            &[
                ENDPOINT,
                ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
                ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"),
            ],
        ] {
            assert_eq!(read_from(variables), traces(10_000, 2_000), "{variables:?}");
        }
    }

    #[test]
    fn nothing_is_sent_that_nobody_asked_for() {
        for variables in [
            &[][..],
            &[("OTEL_SERVICE_NAME", "nightly")],
            &[ENDPOINT, ("OTEL_SDK_DISABLED", "True")],
            &[ENDPOINT, ("OTEL_TRACES_EXPORTER", "none")],
        ] {
            assert_eq!(read_from(variables), Asked::Nothing, "{variables:?}");
        }
    }

    #[test]
    fn what_there_is_none_of_is_said_without_its_value() {
        for (name, value) in [
            ("OTEL_TRACES_EXPORTER", "zipkin"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
        ] {
            let Asked::Impossible(why) = read_from(&[ENDPOINT, (name, value)]) else {
                panic!("{name}");
            };
            assert!(why.contains(name) && !why.contains(value), "{why}");
        }
    }

    #[test]
    fn a_run_waits_as_long_as_the_shortest_time_that_is_set() {
        let timeout = ("OTEL_EXPORTER_OTLP_TIMEOUT", "700");
        for (variables, expected) in [
            (&[timeout][..], traces(700, 700)),
            (
                &[timeout, ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "20000")],
                traces(20_000, 20_000),
            ),
            (&[timeout, ("OTEL_BSP_EXPORT_TIMEOUT", "300")], traces(700, 300)),
            (&[("OTEL_BSP_EXPORT_TIMEOUT", "5000")], traces(10_000, 5_000)),
            (&[("OTEL_EXPORTER_OTLP_TIMEOUT", "0")], traces(10_000, 2_000)),
            (&[("OTEL_EXPORTER_OTLP_TIMEOUT", "soon")], traces(10_000, 2_000)),
        ] {
            let variables: Vec<_> = variables.iter().copied().chain([ENDPOINT]).collect();
            assert_eq!(read_from(&variables), expected, "{variables:?}");
        }
    }
}
