//! The committed files are what `proto/` gives, and drift is found without writing.

use std::fs;

use xtask_gen::{Drift, Files, OUT_DIR, compare, generate, repository_root, write};

#[test]
fn committed_files_are_up_to_date() {
    let root = repository_root();
    let files = generate(&root).expect("proto/ compiles");
    let drift = compare(&files, &root.join(OUT_DIR)).expect("the generated folder can be read");
    assert_eq!(drift, [], "run `cargo xtask gen` and commit the result");
}

#[test]
fn generating_twice_gives_the_same_bytes() {
    let root = repository_root();
    assert_eq!(generate(&root).expect("first"), generate(&root).expect("second"));
}

#[test]
fn compare_names_every_kind_of_drift_and_writes_nothing() {
    let dir = tempfile::tempdir().expect("a scratch folder");
    fs::write(dir.path().join("changed.rs"), "old").expect("write");
    fs::write(dir.path().join("equal.rs"), "same").expect("write");
    fs::write(dir.path().join("leftover.rs"), "gone").expect("write");
    let files: Files = [("changed.rs", "new"), ("equal.rs", "same"), ("missing.rs", "new")]
        .into_iter()
        .map(|(name, content)| (name.to_owned(), content.as_bytes().to_vec()))
        .collect();
    let expected = [
        Drift::Changed("changed.rs".to_owned()),
        Drift::Missing("missing.rs".to_owned()),
        Drift::Leftover("leftover.rs".to_owned()),
    ];

    assert_eq!(compare(&files, dir.path()).expect("compare"), expected);
    assert_eq!(fs::read(dir.path().join("changed.rs")).expect("read"), b"old");
    assert!(!dir.path().join("missing.rs").exists());
    assert!(dir.path().join("leftover.rs").exists());

    assert_eq!(write(&files, dir.path()).expect("write"), expected);
    assert_eq!(compare(&files, dir.path()).expect("compare"), []);
    assert!(!dir.path().join("leftover.rs").exists());
}
