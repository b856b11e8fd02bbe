//! Spans of a node: which are recorded, and where they go.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response, header::HOST, uri::Scheme};
use outrigger_base_clock::{Clock, Entropy};
use outrigger_base_std::BoxError;
use outrigger_base_task::{Leftover, TaskSet};
use outrigger_base_telemetry::trace::{
    BoxFuture, HttpPost, Resource, Sampler, SpanExporter, StdoutExporter, TraceSettings, Tracer,
    ZipkinExporter, otlp_exporter, pipeline,
};
use outrigger_resource_manifest::{
    Configuration, Env,
    configuration::{OtelProtocol, Tracing},
};
use outrigger_transport::{
    Body,
    client::{Connect, Http1Pool, Target},
    tls::ClientTls,
};

/// Name of what made the spans.
const SCOPE: &str = "outrigger";
/// Time for the last spans to go out.
const FLUSH: Duration = Duration::from_secs(1);
/// Time beyond that in which the tasks end, so that one which heeds its limit is not cut.
const SLACK: Duration = Duration::from_millis(250);
/// Bytes of a collector's answer that are read.
const ANSWER_LIMIT: u64 = 64 * 1024;

/// The tracer of a node and what sends its spans.
#[derive(Debug, Clone)]
pub(crate) struct Spans {
    pub(crate) tracer: Tracer,
    worker: TaskSet,
    /// Not a part of the worker's set: they must outlive the signal on which it sends its last spans.
    connections: TaskSet,
}

impl Spans {
    /// What the configuration and the environment ask for. Exporters run on a task of their own until [`Spans::close`].
    pub(crate) fn start(
        configuration: &Configuration,
        app_id: &str,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        env: &dyn Env,
    ) -> Result<Self, BoxError> {
        let settings = settings(&configuration.tracing).with_env(|name| env.var(name))?;
        let sampler = sampler(&settings.sampling_rate);
        tracing::info!("Dapr trace sampler initialized: {sampler}");
        let mut spans = Self {
            tracer: Tracer::disabled(),
            worker: TaskSet::new("spans"),
            connections: TaskSet::new("span-connections"),
        };
        if sampler.is_zero() {
            return Ok(spans);
        }
        let exporters = spans.exporters(&configuration.tracing, &settings, app_id, env)?;
        spans.tracer = if !exporters.is_empty() {
            let (sink, worker) = pipeline(exporters);
            let stop = spans.worker.signal().clone();
            spans.worker.spawn("span-export", async move {
                worker.run(async { stop.stopped().await }, FLUSH).await;
            });
            Tracer::new(clock, entropy, sampler, Some(sink))
        } else if settings.sampling_rate.is_empty() {
            // Nobody has asked for traces where there is neither a rate nor a receiver.
            Tracer::off()
        } else {
            Tracer::new(clock, entropy, sampler, None)
        };
        Ok(spans)
    }

    /// Sends the last spans and ends the tasks. Returns what did not end.
    pub(crate) async fn close(&self) -> Vec<Leftover> {
        let mut left = self.worker.close(FLUSH + SLACK).await;
        left.extend(self.connections.close(SLACK).await);
        left
    }

    /// Ends the tasks without waiting: what was not sent is lost.
    pub(crate) fn abandon(&self) {
        self.worker.stop();
        self.connections.stop();
    }

    fn exporters(
        &self,
        configured: &Tracing,
        settings: &TraceSettings,
        app_id: &str,
        env: &dyn Env,
    ) -> Result<Vec<Box<dyn SpanExporter>>, BoxError> {
        let client: Arc<dyn HttpPost> = Arc::new(Client {
            tasks: self.connections.clone(),
        });
        let mut exporters: Vec<Box<dyn SpanExporter>> = Vec::new();
        if configured.stdout {
            exporters.push(Box::new(StdoutExporter));
        }
        let zipkin = configured.zipkin_endpoint.as_deref();
        if let Some(endpoint) = zipkin.filter(|endpoint| !endpoint.is_empty()) {
            exporters.push(Box::new(ZipkinExporter::new(endpoint, app_id, client.clone())?));
        }
        if let Some(otlp) = settings.otlp()? {
            let (resource, ignored) = Resource::new(app_id).with_env(|name| env.var(name));
            for entry in ignored {
                tracing::warn!("resource attribute {entry:?} is no key=value pair and is left out");
            }
            exporters.push(otlp_exporter(&otlp, resource, SCOPE, &client)?);
        }
        Ok(exporters)
    }
}

/// A rate that is no number counts as not given; the reader of the configuration has warned of it.
fn sampler(rate: &str) -> Sampler {
    Sampler::parse(rate).unwrap_or_default()
}

fn settings(configured: &Tracing) -> TraceSettings {
    let otel = &configured.otel;
    let headers = otel.headers.iter().filter_map(|header| {
        let Some(value) = header.value.as_plain() else {
            tracing::warn!(
                "spec.tracing.otel.headers: {} is left out: only plain values are built into this version of Outrigger",
                header.name
            );
            return None;
        };
        Some((header.name.clone(), value.to_owned()))
    });
    TraceSettings {
        sampling_rate: configured.sampling_rate.clone(),
        endpoint: otel.endpoint_address.clone(),
        protocol: match otel.protocol {
            None => String::new(),
            Some(OtelProtocol::Http) => "http".to_owned(),
            Some(OtelProtocol::Grpc) => "grpc".to_owned(),
        },
        secure: Some(otel.is_secure),
        headers: headers.collect(),
        timeout: otel.timeout,
    }
}

/// Posts to collectors, over a connection for each batch: batches are seconds apart.
#[derive(Debug)]
struct Client {
    tasks: TaskSet,
}

impl HttpPost for Client {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, BoxError>> {
        Box::pin(async move {
            let uri = request.uri().clone();
            let host = uri.host().ok_or("the endpoint has no host")?;
            let is_tls = uri.scheme() == Some(&Scheme::HTTPS);
            let target = Target::new(host, uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 }));
            let connect = if is_tls {
                let name = rustls_pki_types::ServerName::try_from(host.to_owned())?;
                Connect::tls(target, ClientTls::default().build(&[b"http/1.1"])?, name)
            } else {
                Connect::plain(target)
            };
            let (mut head, body) = request.into_parts();
            head.uri = uri.path_and_query().map_or("/", |path| path.as_str()).parse()?;
            head.headers.insert(
                HOST,
                uri.authority()
                    .map_or("", |authority| authority.as_str())
                    .parse()?,
            );
            let pool = Http1Pool::new(connect, self.tasks.clone());
            let request = Request::from_parts(head, Body::from(body));
            let answer = pool.send(request).await.map_err(|failed| failed.error)?;
            let (head, body) = answer.into_parts();
            Ok(Response::from_parts(head, body.collect(ANSWER_LIMIT).await?))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_that_is_no_number_is_the_default() {
        assert_eq!(sampler("often"), Sampler::default());
        assert_eq!(sampler(""), Sampler::default());
        assert!(sampler("0").is_zero());
    }
}
