//! The smallest app.

#[test]
fn hello_world_has_at_most_twelve_lines() {
    let text = include_str!("../../examples/hello.rs");
    assert!(text.lines().count() <= 12, "{} lines", text.lines().count());
}
