//! From descriptors to Rust, one file per protobuf package.

use prost_build::{Config, Module};
use prost_types::FileDescriptorSet;

use crate::{Error, Files};

/// Well-known types that stay those of `prost_types` (and `()` for Empty). `Any` is missing on purpose: it is
/// generated, so that its value is `Bytes`; request bodies travel inside it and must not be copied.
const EXTERN: &[(&str, &str)] = &[
    (".google.protobuf.Duration", "::prost_types::Duration"),
    (".google.protobuf.Timestamp", "::prost_types::Timestamp"),
    (".google.protobuf.Struct", "::prost_types::Struct"),
    (".google.protobuf.Value", "::prost_types::Value"),
    (".google.protobuf.ListValue", "::prost_types::ListValue"),
    (".google.protobuf.NullValue", "::prost_types::NullValue"),
    (".google.protobuf.Empty", "()"),
];

/// Messages that hold secrets or the user's payload. `Debug` is written by hand for them, in the crate.
const NO_DEBUG: &[&str] = &[
    ".dapr.proto.common.v1.StreamPayload",
    ".dapr.proto.runtime.v1.GetSecretResponse",
    ".dapr.proto.runtime.v1.SecretResponse",
    ".dapr.proto.runtime.v1.SubtleEncryptRequest",
    ".dapr.proto.runtime.v1.SubtleDecryptResponse",
    ".dapr.proto.runtime.v1.SubtleWrapKeyRequest",
    ".dapr.proto.runtime.v1.SubtleUnwrapKeyResponse",
];

/// Domain of type URLs inside `google.protobuf.Any`, as every protobuf library writes it.
const TYPE_URL_DOMAIN: &str = "type.googleapis.com";

/// Makes the Rust files; the key is the file name.
pub(crate) fn generate(set: &FileDescriptorSet) -> Result<Files, Error> {
    let requests = set.file.iter().map(|file| {
        let module = Module::from_protobuf_package_name(file.package());
        (module, file.clone())
    });
    let modules = config().generate(requests.collect()).map_err(Error::Rust)?;
    let named = modules.into_iter().map(|(module, text)| {
        let name = module.to_file_name_or("root");
        (name, text.into_bytes())
    });
    Ok(named.collect())
}

fn config() -> Config {
    let services = tonic_prost_build::configure()
        .generate_default_stubs(true)
        .service_generator();
    let mut config = Config::new();
    config
        .service_generator(services)
        .bytes(["."])
        .compile_well_known_types()
        .enable_type_names()
        .type_name_domain(["."], TYPE_URL_DOMAIN)
        .skip_debug(NO_DEBUG.iter().copied());
    for (proto, rust) in EXTERN {
        config.extern_path(*proto, *rust);
    }
    config
}
