//! Spans to a collector, by OTLP over HTTP. The libraries of OpenTelemetry read their own variables,
//! `OTEL_EXPORTER_OTLP_ENDPOINT` and so on; without an address nothing is sent.

use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, TracerProvider,
};
use opentelemetry_otlp::{
    OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, SpanExporter,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tracing::{Span, Subscriber};
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt};
use tracing_subscriber::registry::LookupSpan;

use crate::domain::trace::TraceContext;

/// What the server is called, unless `OTEL_SERVICE_NAME` says otherwise.
const SERVICE: &str = "loadbay";

/// Sends spans as long as it lives; sends the last ones when it is dropped.
#[derive(Debug)]
pub struct Exporter {
    provider: SdkTracerProvider,
}

impl Exporter {
    /// What sends to the collector that the variables name; `None` where they name none.
    ///
    /// # Errors
    /// When they make no sense.
    pub fn start() -> anyhow::Result<Option<Self>> {
        let variables = [OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT];
        if !variables.into_iter().any(is_set) {
            return Ok(None);
        }
        let exporter = SpanExporter::builder().with_http().build()?;
        let mut resource = Resource::builder();
        if !is_set("OTEL_SERVICE_NAME") {
            resource = resource.with_service_name(SERVICE);
        }
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource.build())
            .build();
        Ok(Some(Self { provider }))
    }

    /// What gives it the spans of the log.
    #[must_use]
    pub fn layer<S>(&self) -> OpenTelemetryLayer<S, SdkTracer>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let tracer = self.provider.tracer(SERVICE);
        tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false)
            .with_target(false)
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        if let Err(fault) = self.provider.shutdown() {
            tracing::warn!(event = "spans_lost", error = %fault, "last spans were not sent");
        }
    }
}

/// True of a variable with a value. The libraries read them by the same way.
#[expect(clippy::disallowed_methods, reason = "these are no settings of ours")]
fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

/// Puts a span below `parent`, or at the beginning of a trace; `None` where nothing is sent.
pub(super) fn place(span: &Span, parent: Option<TraceContext>) -> Option<TraceContext> {
    if let Some(parent) = parent {
        let context = SpanContext::new(
            TraceId::from(parent.trace_id()),
            SpanId::from(parent.parent_id()),
            TraceFlags::default().with_sampled(parent.is_sampled()),
            true,
            TraceState::default(),
        );
        span.set_parent(opentelemetry::Context::new().with_remote_span_context(context)).ok()?;
    }
    let context = span.context();
    let own = context.span().span_context().clone();
    let trace_id = u128::from_be_bytes(own.trace_id().to_bytes());
    let span_id = u64::from_be_bytes(own.span_id().to_bytes());
    TraceContext::of_ids(trace_id, span_id, own.is_sampled())
}
