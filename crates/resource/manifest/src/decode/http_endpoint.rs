//! Reads `HTTPEndpoint`.

use super::{common, field::Field};
use crate::{ClientTls, HttpEndpoint, Renegotiation};

pub(super) fn http_endpoint(root: &Field<'_>) -> HttpEndpoint {
    let document = root.object(&[
        "apiVersion",
        "kind",
        "metadata",
        "spec",
        "auth",
        "scopes",
        "status",
    ]);
    let meta = common::meta(&document);
    let spec = document.get("spec").object(&["baseUrl", "headers", "clientTLS"]);
    let base_url = spec.get("baseUrl").text_or_empty();
    if base_url.is_empty() {
        spec.get("baseUrl")
            .missing("the address of the service, such as \"https://example.com\"");
    }
    HttpEndpoint {
        name: meta.name,
        namespace: meta.namespace,
        base_url,
        headers: common::name_values(&spec.get("headers")),
        client_tls: client_tls(&spec.get("clientTLS")),
        secret_store: common::secret_store(&document),
        scopes: document.get("scopes").string_list(),
        origin: root.origin(),
    }
}

fn client_tls(field: &Field<'_>) -> Option<ClientTls> {
    if !field.is_present() {
        return None;
    }
    let object = field.object(&["rootCA", "certificate", "privateKey", "renegotiation"]);
    Some(ClientTls {
        root_ca: common::document_value(&object.get("rootCA")),
        certificate: common::document_value(&object.get("certificate")),
        private_key: common::document_value(&object.get("privateKey")),
        renegotiation: renegotiation(&object.get("renegotiation")),
    })
}

fn renegotiation(field: &Field<'_>) -> Renegotiation {
    match field.some_text().as_deref() {
        None | Some("Never") => Renegotiation::Never,
        Some("OnceAsClient") => Renegotiation::OnceAsClient,
        Some("FreelyAsClient") => Renegotiation::FreelyAsClient,
        Some(_) => {
            field.fail("Never, OnceAsClient or FreelyAsClient");
            Renegotiation::Never
        }
    }
}
