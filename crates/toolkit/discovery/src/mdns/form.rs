//! How names and instances look in records: the caller's choice.

use crate::{Instance, NameRef};

/// How a mesh writes its names and instances down.
///
/// All names are dotted and end in the domain, which is `local.` wherever multicast DNS is meant.
pub trait RecordForm: Send + Sync {
    /// The service type under which the instances of `name` are found, such as `_orders._tcp.local.`.
    fn service(&self, name: NameRef<'_>) -> String;

    /// What is announced for `instance`.
    fn advert(&self, instance: &Instance) -> Advert;

    /// Whether texts that were found under the service type of `name` are those of an instance of `name`.
    fn accepts(&self, name: NameRef<'_>, texts: &[Vec<u8>]) -> bool;
}

/// The parts of an announcement that are up to the mesh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advert {
    /// The name of the instance, put before the service type. Two instances must not share it.
    pub instance: String,
    /// The full name of the host, such as `box-1.local.`.
    pub host: String,
    /// The texts, of at most 255 bytes each.
    pub texts: Vec<String>,
}

/// The plainest form: the service type is the id itself, which is also the only text.
///
/// Namespaces do not occur in it; names that differ in nothing else are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdForm {
    domain: String,
    instance: String,
    host: String,
}

/// The longest label of a domain name, in bytes.
const LABEL_LIMIT: usize = 63;

impl IdForm {
    /// The form for a process on `hostname` under `domain`, whose instances are called `<hostname>:<process>`.
    ///
    /// The host's own name belongs to whoever answers for the whole machine, so addresses are announced under
    /// one that is this process's: `<hostname>-<process>.<domain>`. A host name that is too long for a label is
    /// cut, and its dots, which would separate labels, become dashes.
    pub fn new(domain: impl Into<String>, hostname: &str, process: u32) -> Self {
        let domain = domain.into();
        let suffix = format!(":{process}");
        let flat = hostname.replace('.', "-");
        let label = cut(&flat, LABEL_LIMIT - suffix.len());
        Self {
            instance: format!("{label}{suffix}"),
            host: format!("{label}-{process}.{domain}"),
            domain,
        }
    }

    /// The same form with addresses announced under `host`, a full name.
    #[must_use]
    pub fn with_host(self, host: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            ..self
        }
    }
}

impl RecordForm for IdForm {
    fn service(&self, name: NameRef<'_>) -> String {
        format!("{}.{}", name.id, self.domain)
    }

    fn advert(&self, instance: &Instance) -> Advert {
        let texts = vec![instance.name.id().to_owned()];
        Advert {
            instance: self.instance.clone(),
            host: self.host.clone(),
            texts,
        }
    }

    fn accepts(&self, name: NameRef<'_>, texts: &[Vec<u8>]) -> bool {
        texts.first().is_some_and(|text| text == name.id.as_bytes())
    }
}

/// The longest beginning of `text` that has at most `limit` bytes.
fn cut(text: &str, limit: usize) -> &str {
    let end = (0..=limit.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end))
        .unwrap_or(0);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Name;

    #[test]
    fn the_id_is_service_type_and_text() {
        let form = IdForm::new("local.", "box.example", 42);
        assert_eq!(
            form.service(NameRef::new("orders").in_namespace("x")),
            "orders.local."
        );
        let advert = form.advert(&Instance::new(
            Name::new("orders"),
            std::net::SocketAddr::from(([127, 0, 0, 1], 1)),
        ));
        let expected = Advert {
            instance: "box-example:42".into(),
            host: "box-example-42.local.".into(),
            texts: vec!["orders".into()],
        };
        assert_eq!(advert, expected);
        assert!(form.accepts(NameRef::new("orders"), &[b"orders".to_vec(), b"more".to_vec()]));
        assert!(!form.accepts(NameRef::new("orders"), &[b"order".to_vec()]));
        assert!(!form.accepts(NameRef::new("orders"), &[]));
    }

    #[test]
    fn a_long_host_name_is_cut_to_a_label() {
        let form = IdForm::new("local.", &"\u{e9}".repeat(40), 4_194_304);
        assert!(
            form.instance.len() <= 63 && form.instance.ends_with(":4194304"),
            "{}",
            form.instance
        );
    }
}
