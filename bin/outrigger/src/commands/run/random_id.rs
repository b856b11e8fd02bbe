//! Ids for apps that have none.

use outrigger_base_clock::Entropy;

const FIRST: [&str; 16] = [
    "amber", "brave", "calm", "deep", "early", "far", "gentle", "high", "keen", "light", "mild", "north",
    "quick", "round", "still", "warm",
];
const SECOND: [&str; 16] = [
    "anchor", "bay", "cove", "drift", "eddy", "fjord", "gull", "harbour", "isle", "jetty", "keel", "lagoon",
    "mast", "oar", "reef", "tide",
];

/// Two words and four digits: no dots, and unlikely to be any other app's.
pub(super) fn random_id(entropy: &dyn Entropy) -> String {
    let mut bytes = [0u8; 4];
    entropy.fill(&mut bytes);
    let [first, second, high, low] = bytes;
    format!(
        "{}-{}-{high:02x}{low:02x}",
        FIRST[usize::from(first) % FIRST.len()],
        SECOND[usize::from(second) % SECOND.len()]
    )
}

#[cfg(test)]
mod tests {
    use outrigger_base_clock::SeededEntropy;

    use super::*;

    #[test]
    fn ids_are_fit_for_apps_and_differ() {
        let entropy = SeededEntropy::new(1);
        let (a, b) = (random_id(&entropy), random_id(&entropy));
        assert_ne!(a, b);
        assert!(a.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{a}");
    }
}
