//! Whether the resources of all apps can be used: what a sidecar passes over with a warning is refused here.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use outrigger_base_std::chain;
use outrigger_resource_manifest::{
    Env, LoadReport, SkipReason, Skipped, Unread, load, load_configuration,
    problem::{Issue, Warning},
};
use outrigger_wire_names::environment;

use super::{file::Problems, plan::Plan};

/// Resources that nobody can have meant.
#[derive(Debug, thiserror::Error)]
#[error("the resources cannot be used, and nothing was started:\n{0}")]
pub(super) struct Refused(Problems);

/// What was found, each thing once, however many apps share a folder.
#[derive(Debug, Default)]
struct Findings {
    problems: Vec<String>,
    warnings: Vec<String>,
    seen: BTreeSet<String>,
}

/// Reads the resources of every app as its sidecar will. What is understood but not built is a warning, because only
/// a request that needs it fails, and so is what changes nothing; everything else that has no effect is refused.
pub(super) fn check(plan: &Plan, env: &dyn Env) -> Result<Vec<String>, Refused> {
    let namespace = env.var(environment::NAMESPACE);
    let mut findings = Findings::default();
    for app in &plan.apps {
        findings.resources(&app.resources, &app.app_id, namespace.as_deref());
        if let Some(config) = &app.config {
            findings.configuration(config, env);
        }
    }
    if findings.problems.is_empty() {
        Ok(findings.warnings)
    } else {
        Err(Refused(Problems(findings.problems)))
    }
}

impl Findings {
    fn resources(&mut self, paths: &[PathBuf], app_id: &str, namespace: Option<&str>) {
        match load(paths, app_id, namespace) {
            Ok(report) => self.report(&report),
            Err(error) => self.problem(chain(&error)),
        }
    }

    fn configuration(&mut self, path: &Path, env: &dyn Env) {
        match load_configuration(&[path.to_owned()], env) {
            Ok(loaded) => loaded.warnings.iter().for_each(|warning| self.warning(warning)),
            Err(error) => self.problem(chain(&error)),
        }
    }

    fn report(&mut self, report: &LoadReport) {
        for skipped in &report.skipped {
            self.skipped(skipped);
        }
        for duplicate in &report.duplicates {
            let (origin, existing) = (&duplicate.origin, &duplicate.existing_origin);
            self.problem(format!("{origin}: {duplicate}, which is in {existing}"));
        }
        report.warnings.iter().for_each(|warning| self.warning(warning));
    }

    fn skipped(&mut self, skipped: &Skipped) {
        match &skipped.reason {
            reason if reason.is_expected() => {}
            // A folder of resources may have a README in it.
            SkipReason::Unread(Unread::NotYaml) => {}
            SkipReason::Invalid { fields, .. } => {
                fields.0.iter().for_each(|field| self.problem(field.to_string()));
            }
            reason => self.problem(format!("{}: {}", skipped.origin, chain(reason))),
        }
    }

    fn warning(&mut self, warning: &Warning) {
        match warning.issue {
            Issue::NotBuilt | Issue::UsedAnyway { .. } => self.note(warning.to_string()),
            _ => self.problem(warning.to_string()),
        }
    }

    fn problem(&mut self, text: String) {
        if self.seen.insert(text.clone()) {
            self.problems.push(text);
        }
    }

    fn note(&mut self, text: String) {
        if self.seen.insert(text.clone()) {
            self.warnings.push(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn found(files: &[(&str, &str)]) -> Findings {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(dir.path().join(name), text).unwrap();
        }
        let mut findings = Findings::default();
        // Twice, as for two apps with one folder.
        for app in ["a", "b"] {
            findings.resources(&[dir.path().to_owned()], app, None);
        }
        let place = dir.path().display().to_string();
        for text in findings.problems.iter_mut().chain(&mut findings.warnings) {
            *text = text.replace(&place, "…");
        }
        findings
    }

    const GOOD: &str = "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: x}\nspec: {type: state.in-memory, version: v1}\n";

    #[test]
    fn good_resources_pass_whatever_else_lies_there() {
        let found = found(&[
            ("a.yaml", GOOD),
            ("README.md", "read me"),
            ("other.yaml", "kind: Deployment"),
        ]);
        assert!(
            found.problems.is_empty() && found.warnings.is_empty(),
            "{found:?}"
        );
    }

    #[test]
    fn what_a_sidecar_passes_over_is_refused() {
        let found = found(&[
            ("a.yaml", "spec: ["),
            ("b.yaml", &GOOD.replace("version", "verison")),
            ("c.yaml", GOOD),
            ("d.yaml", &GOOD.replace("Component", "Componnet")),
        ]);
        let text = found.problems.join("\n");
        assert!(
            text.contains("…/a.yaml, document 1, line 1: not valid YAML at line 1"),
            "{text}"
        );
        assert!(
            text.contains("b.yaml, document 1, line 4, column 31: spec.verison: unknown field; it has no effect. Did you mean \"version\"?"),
            "{text}"
        );
        assert!(
            text.contains("duplicate definition of Component name x"),
            "{text}"
        );
        assert!(text.contains("\"Componnet\""), "{text}");
        assert_eq!(found.problems.len(), 4, "{text}");
    }

    #[test]
    fn what_is_not_built_is_a_warning() {
        let found = found(&[(
            "a.yaml",
            "apiVersion: dapr.io/v1alpha1\nkind: MCPServer\nmetadata: {name: x}\nspec: {}\n",
        )]);
        assert!(found.problems.is_empty(), "{found:?}");
        assert_eq!(found.warnings.len(), 1);
    }

    #[test]
    fn a_configuration_of_another_kind_is_used_and_told_of() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.yaml");
        fs::write(&path, "kind: Component\nspec: {metric: {enabled: false}}\n").unwrap();
        let mut findings = Findings::default();
        findings.configuration(&path, &|_: &str| None);
        assert!(findings.problems.is_empty(), "{findings:?}");
        assert!(
            findings.warnings[0].ends_with("kind: found the text \"Component\", expected Configuration; the document is used all the same"),
            "{findings:?}"
        );
    }

    #[test]
    fn a_folder_that_is_not_there_is_refused() {
        let mut findings = Findings::default();
        findings.resources(&["/no/such/folder".into()], "a", None);
        assert!(
            findings.problems[0].starts_with("could not read the path /no/such/folder: "),
            "{findings:?}"
        );
    }
}
