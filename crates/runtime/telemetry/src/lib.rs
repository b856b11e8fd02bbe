//! What a runtime counts of the requests that it serves and makes: HTTP, gRPC, error codes (dapr-runtime.md §6.3).
//!
//! The faces and the app channel share one [`Telemetry`]: they say what happened, and here stands under which labels it
//! counts. A request that was seen before resolves to its handles with one look-up that takes no lock and allocates
//! nothing; what follows are atomic additions.

mod error_codes;
mod grpc;
mod http;
mod labels;
mod rules;
mod table;
mod telemetry;

pub use error_codes::ErrorCodes;
pub use grpc::{GrpcMetrics, status_name};
pub use http::{Exchange, HttpMetrics};
pub use labels::Labels;
pub use rules::Rules;
pub use telemetry::{Telemetry, registry};
