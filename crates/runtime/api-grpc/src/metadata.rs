//! What the runtime tells of itself, over gRPC.

use outrigger_base_std::go::format_duration;
use outrigger_resource_manifest::Routes;
use outrigger_runtime_api::{AppConnection, Metadata, SubscriptionInfo, SubscriptionKind};
use outrigger_wire_names::messages;
use outrigger_wire_proto::runtime::{
    ActorRuntime, AppConnectionHealthProperties, AppConnectionProperties, GetMetadataResponse,
    MetadataHttpEndpoint, MetadataWorkflows, PubsubSubscription, PubsubSubscriptionRule,
    PubsubSubscriptionRules, PubsubSubscriptionType, RegisteredComponents, actor_runtime::ActorRuntimeStatus,
};

pub(crate) fn encode(metadata: Metadata) -> GetMetadataResponse {
    let components = metadata.components.into_iter().map(|info| RegisteredComponents {
        name: info.name,
        r#type: info.type_,
        version: info.version,
        capabilities: info.capabilities.into_iter().map(str::to_owned).collect(),
    });
    let endpoints = metadata.http_endpoints.into_iter();
    GetMetadataResponse {
        id: metadata.id,
        registered_components: components.collect(),
        extended_metadata: metadata.extended.into_iter().collect(),
        subscriptions: metadata.subscriptions.into_iter().map(subscription).collect(),
        http_endpoints: endpoints.map(|name| MetadataHttpEndpoint { name }).collect(),
        app_connection_properties: Some(app_connection(metadata.app_connection)),
        runtime_version: metadata.runtime_version.to_owned(),
        enabled_features: metadata.enabled_features,
        // No actor room yet: the block shows as disabled.
        actor_runtime: Some(ActorRuntime {
            runtime_status: ActorRuntimeStatus::Disabled.into(),
            placement: messages::PLACEMENT_DISCONNECTED.to_owned(),
            ..ActorRuntime::default()
        }),
        workflows: Some(MetadataWorkflows::default()),
        ..GetMetadataResponse::default()
    }
}

fn subscription(info: SubscriptionInfo) -> PubsubSubscription {
    let kind = match info.kind {
        SubscriptionKind::Declarative => PubsubSubscriptionType::Declarative,
        SubscriptionKind::Programmatic => PubsubSubscriptionType::Programmatic,
        SubscriptionKind::Streaming => PubsubSubscriptionType::Streaming,
    };
    PubsubSubscription {
        pubsub_name: info.pubsub_name,
        topic: info.topic,
        metadata: info.metadata.into_iter().collect(),
        rules: Some(rules(info.routes)),
        dead_letter_topic: info.dead_letter_topic.unwrap_or_default(),
        r#type: kind.into(),
    }
}

/// The rules, the default one last and without a condition.
fn rules(routes: Routes) -> PubsubSubscriptionRules {
    let rules = routes.rules.into_iter().map(|rule| PubsubSubscriptionRule {
        r#match: rule.match_,
        path: rule.path,
    });
    let default = routes.default.into_iter().map(|path| PubsubSubscriptionRule {
        r#match: String::new(),
        path,
    });
    PubsubSubscriptionRules {
        rules: rules.chain(default).collect(),
    }
}

fn app_connection(app: AppConnection) -> AppConnectionProperties {
    let has_path = !app.is_grpc();
    let health = app.health.map(|options| AppConnectionHealthProperties {
        health_check_path: if has_path { options.path } else { String::new() },
        health_probe_interval: format_duration(options.interval),
        health_probe_timeout: format_duration(options.timeout),
        health_threshold: i32::try_from(options.threshold).unwrap_or(i32::MAX),
    });
    AppConnectionProperties {
        port: app.port.into(),
        protocol: app.protocol,
        channel_address: app.channel_address,
        max_concurrency: app.max_concurrency,
        health,
    }
}
