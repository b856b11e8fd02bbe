//! Traces and where they go.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response, header::HOST, uri::Scheme};
use outrigger_base_clock::{Clock, Entropy};
use outrigger_base_std::BoxError;
use outrigger_base_task::TaskSet;
use outrigger_base_telemetry::trace::{
    BoxFuture, HttpPost, Resource, Sampler, SpanExporter, StdoutExporter, TraceSettings, Tracer,
    ZipkinExporter, otlp_exporter, pipeline,
};
use outrigger_resource_manifest::{Configuration, configuration::OtelProtocol};
use outrigger_transport::{
    Body,
    client::{Connect, Http1Pool, Target},
    tls::ClientTls,
};

/// Name of what made the spans.
const SCOPE: &str = "outrigger";
/// Time for the last spans to go out.
const FLUSH: Duration = Duration::from_secs(1);
/// Bytes of a collector's answer that are read.
const ANSWER_LIMIT: u64 = 64 * 1024;

/// The tracer that the configuration and the environment ask for. Its exporters run on a task of `tasks`.
pub(crate) fn tracer(
    configuration: &Configuration,
    app_id: &str,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    tasks: &TaskSet,
) -> Result<Tracer, BoxError> {
    let lookup = |name: &str| std::env::var(name).ok();
    let settings = settings(configuration).with_env(lookup)?;
    let rate = settings.sampling_rate.as_str();
    let sampler = match rate {
        "" => Sampler::parse(&configuration.tracing.rate().to_string())?,
        rate => Sampler::parse(rate)?,
    };
    tracing::info!("Dapr trace sampler initialized: {sampler}");
    if sampler.is_zero() {
        return Ok(Tracer::disabled());
    }
    let exporters = exporters(configuration, &settings, app_id, tasks)?;
    if exporters.is_empty() {
        // Nobody has asked for traces where there is neither a rate nor a receiver.
        return Ok(match rate {
            "" => Tracer::off(),
            _ => Tracer::new(clock, entropy, sampler, None),
        });
    }
    let (sink, worker) = pipeline(exporters);
    let stop = tasks.signal().clone();
    tasks.spawn("span-export", async move {
        worker.run(async { stop.stopped().await }, FLUSH).await;
    });
    Ok(Tracer::new(clock, entropy, sampler, Some(sink)))
}

fn settings(configuration: &Configuration) -> TraceSettings {
    let otel = &configuration.tracing.otel;
    let headers = otel
        .headers
        .iter()
        .filter_map(|header| Some((header.name.clone(), header.value.as_plain()?.to_owned())));
    TraceSettings {
        sampling_rate: configuration.tracing.sampling_rate.clone(),
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

fn exporters(
    configuration: &Configuration,
    settings: &TraceSettings,
    app_id: &str,
    tasks: &TaskSet,
) -> Result<Vec<Box<dyn SpanExporter>>, BoxError> {
    let client: Arc<dyn HttpPost> = Arc::new(Client {
        tasks: tasks.child("span-export-connections"),
    });
    let mut exporters: Vec<Box<dyn SpanExporter>> = Vec::new();
    if configuration.tracing.stdout {
        exporters.push(Box::new(StdoutExporter));
    }
    if let Some(endpoint) = configuration
        .tracing
        .zipkin_endpoint
        .as_deref()
        .filter(|endpoint| !endpoint.is_empty())
    {
        exporters.push(Box::new(ZipkinExporter::new(endpoint, app_id, client.clone())?));
    }
    if let Some(otlp) = settings.otlp()? {
        let (resource, ignored) = Resource::new(app_id).with_env(|name| std::env::var(name).ok());
        for entry in ignored {
            tracing::warn!("resource attribute {entry:?} is no key=value pair and is left out");
        }
        exporters.push(otlp_exporter(&otlp, resource, SCOPE, &client)?);
    }
    Ok(exporters)
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
