//! Folders, files, documents; namespaces, scopes, duplicates.

use std::{fs, path::PathBuf};

use outrigger_resource_manifest::{Kind, LoadReport, SkipReason, Unread, load};
use proptest::prelude::*;
use tempfile::TempDir;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn read(files: &[(&str, &str)], namespace: Option<&str>) -> LoadReport {
    let folder = folder(files);
    load(&[folder.path().to_owned()], "app", namespace).unwrap()
}

fn component(name: &str, type_: &str, namespace: &str, scopes: &str) -> String {
    format!(
        "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: '{name}'\n  namespace: {namespace}\nspec:\n  type: {type_}\n  version: v1\nscopes: {scopes}\n"
    )
}

fn names(report: &LoadReport) -> Vec<&str> {
    report
        .components()
        .map(|component| component.name.as_str())
        .collect()
}

#[test]
fn every_yaml_file_directly_in_the_folder_is_read_in_order() {
    let folder = folder(&[
        ("b.yml", &component("b", "state.x", "", "[]")),
        (
            "a.yaml",
            &[
                component("a1", "state.x", "", "[]"),
                component("a2", "state.x", "", "[]"),
            ]
            .join("---\n"),
        ),
        ("C.YAML", &component("c", "state.x", "", "[]")),
        ("notes.txt", "hello"),
    ]);
    fs::create_dir(folder.path().join("deeper.yaml")).unwrap();
    fs::write(
        folder.path().join("deeper.yaml/x.yaml"),
        component("x", "state.x", "", "[]"),
    )
    .unwrap();
    let report = load(&[folder.path().to_owned()], "app", None).unwrap();
    assert_eq!(names(&report), ["c", "a1", "a2", "b"]);
    let second = report.components().nth(2).unwrap();
    assert_eq!((second.origin.document, second.origin.line), (2, 11));
    assert!(second.origin.file.ends_with("a.yaml"));
    assert_eq!(report.skipped.len(), 1);
    assert!(matches!(
        report.skipped[0].reason,
        SkipReason::Unread(Unread::NotYaml)
    ));
}

#[test]
fn a_path_may_be_a_file_and_a_missing_one_is_an_error() {
    let folder = folder(&[("one.conf", &component("a", "state.x", "", "[]"))]);
    let report = load(&[folder.path().join("one.conf")], "app", None).unwrap();
    assert_eq!(names(&report), ["a"]);
    let missing = folder.path().join("nowhere");
    let error = load(std::slice::from_ref(&missing), "app", None).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("could not read the path {}", missing.display())
    );
}

#[test]
fn a_bad_document_does_not_spoil_its_neighbours() {
    let text = format!(
        "{}---\nspec: [\n---\n{}",
        component("a", "state.x", "", "[]"),
        component("b", "state.x", "", "[]")
    );
    let report = read(&[("a.yaml", &text)], None);
    assert_eq!(names(&report), ["a", "b"]);
    assert_eq!(report.skipped.len(), 1);
    assert_eq!(
        (report.skipped[0].origin.document, report.skipped[0].origin.line),
        (2, 11)
    );
}

#[test]
fn files_that_are_too_large_or_no_text_are_skipped() {
    let folder = folder(&[
        ("big.yaml", &"#".repeat(4 * 1024 * 1024 + 1)),
        ("ok.yaml", &component("a", "state.x", "", "[]")),
    ]);
    fs::write(folder.path().join("bytes.yaml"), [b'a', b':', 0xff]).unwrap();
    let report = load(&[folder.path().to_owned()], "app", None).unwrap();
    assert_eq!(names(&report), ["a"]);
    let reasons: Vec<_> = report
        .skipped
        .iter()
        .map(|skipped| skipped.reason.to_string())
        .collect();
    assert_eq!(
        reasons,
        [
            "larger than 4194304 bytes, the most that is read of one file",
            "not UTF-8 text from byte 2 on"
        ]
    );
}

#[test]
fn scopes_keep_other_apps_resources_out() {
    let text = [
        component("all", "state.x", "", "[]"),
        component("ours", "state.x", "", "[other, app]"),
        component("theirs", "state.x", "", "[other]"),
    ]
    .join("---\n");
    let report = read(&[("a.yaml", &text)], None);
    assert_eq!(names(&report), ["all", "ours"]);
    assert_eq!(
        report.skipped[0].reason.to_string(),
        "Component theirs is not in the scope of this app"
    );
    assert!(report.skipped[0].reason.is_expected());
}

#[test]
fn namespaces_matter_only_where_the_app_and_the_manifest_have_one() {
    let text = [
        component("none", "state.x", "", "[]"),
        component("ours", "state.x", "mine", "[]"),
        component("theirs", "state.x", "other", "[]"),
    ]
    .join("---\n");
    assert_eq!(names(&read(&[("a.yaml", &text)], Some("mine"))), ["none", "ours"]);
    assert_eq!(
        names(&read(&[("a.yaml", &text)], None)),
        ["none", "ours", "theirs"]
    );
    assert_eq!(
        names(&read(&[("a.yaml", &text)], Some(""))),
        ["none", "ours", "theirs"]
    );
    let report = read(&[("a.yaml", &text)], Some("mine"));
    assert_eq!(
        report.skipped[0].reason.to_string(),
        "Component theirs is for the namespace other"
    );
}

/// The manifests of Dapr's own cases for unique names, with and without a namespace.
fn abc_and_123() -> String {
    [
        component("abc", "state.in-memory", "mynamespace", "[]"),
        component("abc", "pubsub.in-memory", "mynamespace", "[]"),
        component("abc", "state.in-memory", "othernamespace", "[]"),
        component("123", "state.in-memory", "mynamespace", "[]"),
        component("123", "state.in-memory", "mynamespace", "[]"),
        component("123", "pubsub.in-memory", "", "[]"),
    ]
    .join("---\n")
}

#[test]
fn duplicates_are_an_error_with_daprs_text() {
    let texts = |namespace| {
        let report = read(&[("a.yaml", &abc_and_123())], namespace);
        let text = report.unique(Kind::Component).unwrap_err().to_string();
        let count = report.duplicates.len();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), 2 * count);
        (lines[..count].join("\n"), lines[count..].to_vec(), report)
    };
    let (text, places, _) = texts(Some("mynamespace"));
    assert_eq!(
        text,
        "duplicate definition of Component name abc (pubsub.in-memory/v1) with existing abc (state.in-memory/v1)\n\
         duplicate definition of Component name 123 (state.in-memory/v1) with existing 123 (state.in-memory/v1)\n\
         duplicate definition of Component name 123 (pubsub.in-memory/v1) with existing 123 (state.in-memory/v1)"
    );
    for (place, [later, earlier]) in places.iter().zip([[2, 1], [5, 4], [6, 4]]) {
        let (start, end) = (
            format!("a.yaml, document {later}, line "),
            format!("a.yaml, document {earlier}, line "),
        );
        let (before, after) = place.split_once(" has the name that is taken in ").unwrap();
        assert!(before.contains(&start) && after.contains(&end), "{place}");
    }
    let (text, _, report) = texts(None);
    assert_eq!(
        text,
        "duplicate definition of Component name abc (pubsub.in-memory/v1) with existing abc (state.in-memory/v1)\n\
         duplicate definition of Component name abc (state.in-memory/v1) with existing abc (state.in-memory/v1)\n\
         duplicate definition of Component name 123 (state.in-memory/v1) with existing 123 (state.in-memory/v1)\n\
         duplicate definition of Component name 123 (pubsub.in-memory/v1) with existing 123 (state.in-memory/v1)"
    );
    let first = &report.duplicates[0];
    assert_eq!((first.origin.document, first.existing_origin.document), (2, 1));
    assert!(report.unique(Kind::HttpEndpoint).is_ok());
}

#[test]
fn a_second_name_is_a_duplicate_even_out_of_scope_but_not_before_the_first_in_scope() {
    let (ours, theirs) = (
        component("a", "state.x", "", "[]"),
        component("a", "state.y", "", "[other]"),
    );
    let report = read(
        &[("a.yaml", &[ours.as_str(), theirs.as_str()].join("---\n"))],
        None,
    );
    assert!(report.unique(Kind::Component).is_err());
    let report = read(&[("a.yaml", &[theirs, ours].join("---\n"))], None);
    assert!(report.unique(Kind::Component).is_ok());
    assert_eq!(names(&report), ["a"]);
}

#[test]
fn the_same_name_in_two_kinds_and_in_two_folders() {
    let endpoint =
        "apiVersion: dapr.io/v1alpha1\nkind: HTTPEndpoint\nmetadata: {name: a}\nspec: {baseUrl: http://x}\n";
    let first = folder(&[
        ("a.yaml", &component("a", "state.x", "", "[]")),
        ("b.yaml", endpoint),
    ]);
    let second = folder(&[("a.yaml", &component("a", "state.x", "", "[]"))]);
    let paths: Vec<PathBuf> = vec![first.path().to_owned(), second.path().to_owned()];
    let report = load(&paths, "app", None).unwrap();
    assert_eq!(report.resources.len(), 2);
    assert_eq!(report.http_endpoints().count(), 1);
    assert_eq!(report.duplicates.len(), 1);
    assert!(report.duplicates[0].origin.file.starts_with(second.path()));
}

#[test]
fn of_two_subscriptions_of_a_name_the_later_has_effect_and_resiliencies_are_all_kept() {
    let subscription = |topic: &str| {
        format!(
            "apiVersion: dapr.io/v1alpha1\nkind: Subscription\nmetadata: {{name: s}}\nspec: {{pubsubname: b, topic: {topic}, route: /x}}\n"
        )
    };
    let resiliency = "apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: {name: r}\n";
    let text = [
        subscription("one"),
        subscription("two"),
        resiliency.to_owned(),
        resiliency.to_owned(),
    ]
    .join("---\n");
    let report = read(&[("a.yaml", &text)], None);
    let topics: Vec<_> = report.subscriptions().map(|it| it.topic.as_str()).collect();
    assert_eq!(topics, ["two"]);
    assert_eq!(report.resiliencies().count(), 2);
    assert!(report.duplicates.is_empty());
    assert!(
        matches!(&report.skipped[0].reason, SkipReason::Replaced { kind: Kind::Subscription, by, .. } if by.document == 2)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_panic_the_loader(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.yaml"), &bytes).unwrap();
        let report = load(&[folder.path().to_owned()], "app", None).unwrap();
        prop_assert!(report.resources.is_empty());
    }
}
