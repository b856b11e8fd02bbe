//! The lines with which each runner closes.

/// `test result: …`; a test program without a test closes as well, which says nothing.
pub(super) fn cargo(line: &str) -> bool {
    line.starts_with("test result:") && !line.contains(" 0 passed; 0 failed;")
}

/// `2 failed, 12 passed in 3.41s`, ruled or not.
pub(super) fn pytest(line: &str) -> bool {
    let words = line.trim_matches(['=', ' ']);
    [" passed", " failed", " error"]
        .iter()
        .any(|word| words.contains(word))
        && words.contains(" in ")
}

/// The counts at the end of node's TAP, but those of nothing.
pub(super) fn node(line: &str) -> bool {
    let is_count = ["# tests ", "# pass ", "# fail ", "# skipped "]
        .iter()
        .any(|start| line.starts_with(start));
    is_count && !line.ends_with(" 0")
}

/// A line a package.
pub(super) fn go(line: &str) -> bool {
    ["ok  \t", "FAIL"].iter().any(|start| line.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_told_from_others() {
        assert!(cargo(
            "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out"
        ));
        assert!(cargo("test result: FAILED. 0 passed; 2 failed; 0 ignored"));
        assert!(!cargo("test result: ok. 0 passed; 0 failed; 0 ignored"));
        assert!(pytest("12 passed in 3.41s"));
        assert!(pytest("======= 1 failed, 2 passed in 0.11s ======="));
        assert!(!pytest("tests/test_state.py ....    [ 50%]"));
        assert!(node("# pass 7") && !node("# Subtest: state") && !node("# tests 0") && node("# fail 10"));
        assert!(go("ok  \texample/sdk\t0.4s") && go("FAIL\texample/sdk [build failed]"));
        assert!(!go("?   \texample/sdk\t[no test files]"));
    }
}
