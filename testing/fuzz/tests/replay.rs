//! The corpus, and bytes near it, with a stable compiler and without a fuzzer.

#![allow(
    clippy::print_stdout,
    reason = "how long each target took is for people to read"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

/// Changes that are tried of each seed, unless `REPLAY_CHANGES` says how many.
const CHANGES: u64 = 1_000;

/// What a target does with bytes.
type Run = fn(&[u8]);

/// The targets, by their names.
const TARGETS: [(&str, Run); 11] = [
    ("cel", outrigger_testing_fuzz::cel::run),
    ("cloud_event", outrigger_testing_fuzz::cloud_event::run),
    ("flags", outrigger_testing_fuzz::flags::run),
    ("go", outrigger_testing_fuzz::go::run),
    ("http", outrigger_testing_fuzz::http::run),
    ("http_api", outrigger_testing_fuzz::http_api::run),
    ("internal", outrigger_testing_fuzz::internal::run),
    ("mdns", outrigger_testing_fuzz::mdns::run),
    ("sqlite", outrigger_testing_fuzz::sqlite::run),
    ("trace", outrigger_testing_fuzz::trace::run),
    ("yaml", outrigger_testing_fuzz::yaml::run),
];

/// Bytes that mean something to one parser or another.
const SPICE: &[u8] = b"\x00\n\r\t \"'\\/%+?&=:;,.#-_{}[]()<>*|!0159azAZ\x7f\x80\xc0\xff";

/// The numbers of a linear congruential generator: the same changes in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let rolled = (self.0 >> 33) % sides.max(1) as u64;
        usize::try_from(rolled).unwrap()
    }
}

/// A seed with some bytes put in, taken out, doubled or replaced.
fn change(seed: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=dice.roll(4) {
        let at = dice.roll(bytes.len() + 1);
        let byte = SPICE[dice.roll(SPICE.len())];
        match dice.roll(6) {
            0 => bytes.insert(at, byte),
            1 if at < bytes.len() => drop(bytes.remove(at)),
            2 if at < bytes.len() => bytes[at] = byte,
            3 => {
                let end = at + dice.roll(bytes.len() - at + 1);
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            4 => bytes.truncate(at),
            _ => bytes
                .splice(at..at, std::iter::repeat_n(byte, dice.roll(64)))
                .for_each(drop),
        }
    }
    bytes
}

/// The workspace of the fuzzer's own, with its corpus.
fn fuzzer() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = fuzzer().join("corpus").join(target);
    let listing = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut seeds: Vec<_> = listing
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "{target} has no seed");
    seeds
}

#[test]
fn every_target_takes_its_corpus_and_what_is_near_it() {
    let changes = std::env::var("REPLAY_CHANGES")
        .map_or(CHANGES, |text| text.parse().expect("REPLAY_CHANGES is a number"));
    let wanted = std::env::var("REPLAY_TARGET").ok();
    let targets = TARGETS
        .into_iter()
        .filter(|(target, _)| wanted.as_deref().is_none_or(|wanted| wanted == *target));
    for (target, run) in targets {
        let begun = Instant::now();
        let mut dice = Dice(1);
        run(b"");
        for (path, seed) in seeds(target) {
            run(&seed);
            for number in 0..changes {
                let changed = change(&seed, &mut dice);
                let outcome = std::panic::catch_unwind(|| run(&changed));
                assert!(
                    outcome.is_ok(),
                    "{target}, {}, change {number}: {:?}",
                    path.display(),
                    String::from_utf8_lossy(&changed)
                );
            }
        }
        println!("{target}: {:?}", begun.elapsed());
    }
}

#[test]
fn every_target_is_a_program_of_its_own() {
    let folder = fuzzer().join("fuzz_targets");
    let mut programs: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    programs.sort();
    assert_eq!(programs, TARGETS.map(|(name, _)| name));
}
