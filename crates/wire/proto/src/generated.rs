//! The generated files, in the module tree that their paths to each other expect.
#![allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    reason = "what prost and tonic generate is not ours to polish"
)]

pub(crate) mod dapr {
    pub(crate) mod proto {
        pub(crate) mod common {
            pub mod v1 {
                include!("gen/dapr.proto.common.v1.rs");
            }
        }
        pub(crate) mod internals {
            pub mod v1 {
                include!("gen/dapr.proto.internals.v1.rs");
            }
        }
        pub(crate) mod runtime {
            pub mod v1 {
                include!("gen/dapr.proto.runtime.v1.rs");
            }
        }
    }
}

pub(crate) mod google {
    pub mod protobuf {
        include!("gen/google.protobuf.rs");
    }
    pub mod rpc {
        include!("gen/google.rpc.rs");
    }
}
