//! Services and methods of the gRPC API (dapr-runtime.md §2).

/// Methods of the API service whose building blocks are not built yet, by block.
pub const UNBUILT: [(&str, &[&str]); 11] = [
    ("bindings", &["InvokeBinding"]),
    (
        "actors",
        &[
            "InvokeActor",
            "GetActorState",
            "ExecuteActorStateTransaction",
            "RegisterActorTimer",
            "UnregisterActorTimer",
            "GetActorTimer",
            "ListActorTimers",
            "RegisterActorReminder",
            "UnregisterActorReminder",
            "UnregisterActorRemindersByType",
            "GetActorReminder",
            "ListActorReminders",
            "SubscribeActorEventsAlpha1",
        ],
    ),
    (
        "configuration",
        &[
            "GetConfiguration",
            "SubscribeConfiguration",
            "UnsubscribeConfiguration",
            "GetConfigurationAlpha1",
            "SubscribeConfigurationAlpha1",
            "UnsubscribeConfigurationAlpha1",
        ],
    ),
    ("distributed lock", &["TryLockAlpha1", "UnlockAlpha1"]),
    (
        "cryptography",
        &[
            "EncryptAlpha1",
            "DecryptAlpha1",
            "SubtleGetKeyAlpha1",
            "SubtleEncryptAlpha1",
            "SubtleDecryptAlpha1",
            "SubtleWrapKeyAlpha1",
            "SubtleUnwrapKeyAlpha1",
            "SubtleSignAlpha1",
            "SubtleVerifyAlpha1",
        ],
    ),
    (
        "workflow",
        &[
            "StartWorkflowBeta1",
            "GetWorkflowBeta1",
            "PurgeWorkflowBeta1",
            "TerminateWorkflowBeta1",
            "PauseWorkflowBeta1",
            "ResumeWorkflowBeta1",
            "RaiseEventWorkflowBeta1",
            "StartWorkflowAlpha1",
            "GetWorkflowAlpha1",
            "PurgeWorkflowAlpha1",
            "TerminateWorkflowAlpha1",
            "PauseWorkflowAlpha1",
            "ResumeWorkflowAlpha1",
            "RaiseEventWorkflowAlpha1",
        ],
    ),
    (
        "jobs",
        &[
            "ScheduleJob",
            "GetJob",
            "DeleteJob",
            "DeleteJobsByPrefix",
            "ListJobs",
            "ScheduleJobAlpha1",
            "GetJobAlpha1",
            "DeleteJobAlpha1",
            "DeleteJobsByPrefixAlpha1",
            "ListJobsAlpha1",
        ],
    ),
    ("conversation", &["ConverseAlpha2", "ConverseAlpha1"]),
    (
        "search",
        &[
            "CreateIndexAlpha1",
            "GetIndexAlpha1",
            "ListIndexesAlpha1",
            "DeleteIndexAlpha1",
            "IndexDocumentsAlpha1",
            "GetDocumentsAlpha1",
            "DeleteDocumentsAlpha1",
            "SearchAlpha1",
        ],
    ),
    (
        "vector",
        &[
            "CreateCollectionAlpha1",
            "GetCollectionAlpha1",
            "ListCollectionsAlpha1",
            "DeleteCollectionAlpha1",
            "UpsertVectorsAlpha1",
            "GetVectorsAlpha1",
            "DeleteVectorsAlpha1",
            "QueryVectorsAlpha1",
            "BatchQueryVectorsAlpha1",
        ],
    ),
    (
        "binary store",
        &[
            "SetBinaryFileAlpha1",
            "GetBinaryFileAlpha1",
            "DeleteBinaryFileAlpha1",
        ],
    ),
];

/// Method of the API: invocation by message.
pub const INVOKE_SERVICE: &str = "InvokeService";
/// Method of the API: streaming subscriptions.
pub const SUBSCRIBE_STREAM: &str = "SubscribeTopicEventsAlpha1";
/// Calls of an app: invocation.
pub const ON_INVOKE: &str = "/dapr.proto.runtime.v1.AppCallback/OnInvoke";
/// Calls of an app: an event.
pub const ON_TOPIC_EVENT: &str = "/dapr.proto.runtime.v1.AppCallback/OnTopicEvent";
/// Calls of an app: many events.
pub const ON_BULK_TOPIC_EVENT: &str = "/dapr.proto.runtime.v1.AppCallback/OnBulkTopicEvent";
/// Calls of an app: many events, the older call.
pub const ON_BULK_TOPIC_EVENT_ALPHA: &str = "/dapr.proto.runtime.v1.AppCallbackAlpha/OnBulkTopicEventAlpha1";
/// Calls of an app: which subscriptions it wants.
pub const LIST_TOPIC_SUBSCRIPTIONS: &str = "/dapr.proto.runtime.v1.AppCallback/ListTopicSubscriptions";

/// Path prefix of the service that workflow workers speak to.
pub const TASK_HUB: &str = "/TaskHubSidecarService/";
/// Block that [`TASK_HUB`] belongs to.
pub const WORKFLOW: &str = "workflow";
/// Path prefix of the health service.
pub const HEALTH: &str = "/grpc.health.v1.Health/";
/// Path prefix of reflection, current version.
pub const REFLECTION: &str = "/grpc.reflection.v1.ServerReflection/";
/// Path prefix of reflection, old version.
pub const REFLECTION_ALPHA: &str = "/grpc.reflection.v1alpha.ServerReflection/";
