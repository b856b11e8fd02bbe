//! One conformance suite, every component.
