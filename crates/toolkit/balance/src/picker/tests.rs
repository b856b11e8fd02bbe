//! What the picker promises, on invented time.

use std::time::Duration;

use proptest::{prop_assert, prop_assert_eq, proptest};

use super::*;

/// A picker, the endpoints `0..n`, and the time.
struct Scene {
    picker: Picker<usize>,
    endpoints: Vec<usize>,
    now: Instant,
}

impl Scene {
    fn new(strategy: Strategy, endpoints: usize) -> Self {
        let now = Instant::now();
        let picker = Picker::of_keys(Options::with_strategy(strategy), now);
        Self {
            picker,
            endpoints: (0..endpoints).collect(),
            now,
        }
    }

    fn pick(&self) -> Picked {
        self.picker.pick(&self.endpoints, self.now).unwrap()
    }

    /// Picks `n` times and counts how often each endpoint is chosen; each does well.
    fn shares(&self, n: usize) -> Vec<usize> {
        let mut shares = vec![0; self.endpoints.len()];
        for _ in 0..n {
            let picked = self.pick();
            shares[picked.index()] += 1;
            picked.success();
        }
        shares
    }

    /// Fails `endpoint` alone until it is ejected.
    fn eject(&self, endpoint: usize) {
        for _ in 0..3 {
            self.picker.pick(&[endpoint], self.now).unwrap().failure(self.now);
        }
        assert_eq!(self.shares(100)[endpoint], 0, "endpoint {endpoint} is ejected");
    }

    fn wait(&mut self, seconds: f64) {
        self.now += Duration::from_secs_f64(seconds);
    }
}

const STRATEGIES: [Strategy; 2] = [Strategy::RoundRobin, Strategy::LeastLoaded];

#[test]
fn callers_with_seeds_of_their_own_do_not_choose_alike() {
    let choices = |seed| {
        let now = Instant::now();
        let picker = Picker::of_keys(Options::default().with_seed(seed), now);
        let choice = |_| picker.pick(&[0, 1, 2, 3], now).unwrap().index();
        (0..16).map(choice).collect::<Vec<_>>()
    };
    assert_eq!(choices(1), choices(1));
    assert_ne!(choices(1), choices(2));
}

#[test]
fn nothing_is_chosen_from_nothing() {
    for strategy in STRATEGIES {
        let scene = Scene::new(strategy, 0);
        assert!(scene.picker.pick(&[], scene.now).is_none());
    }
}

#[test]
fn round_robin_takes_turns() {
    let scene = Scene::new(Strategy::RoundRobin, 3);
    // The first pick gets to know the endpoints, which may cost it a turn.
    while scene.pick().index() != 2 {}
    let order: Vec<usize> = (0..7).map(|_| scene.pick().index()).collect();
    assert_eq!(order, [0, 1, 2, 0, 1, 2, 0]);
}

#[test]
fn round_robin_shares_out_what_an_ejected_endpoint_leaves() {
    let scene = Scene::new(Strategy::RoundRobin, 4);
    scene.eject(1);
    assert_eq!(scene.shares(300), [100, 0, 100, 100]);
}

#[test]
fn least_loaded_prefers_the_one_with_fewer_requests_in_flight() {
    let scene = Scene::new(Strategy::LeastLoaded, 2);
    let busy: Vec<Picked> = (0..5)
        .map(|_| scene.picker.pick(&[0], scene.now).unwrap())
        .collect();
    assert_eq!(scene.shares(100), [0, 100]);
    drop(busy);
    let shares = scene.shares(1000);
    assert!(
        shares.iter().all(|share| (400..600).contains(share)),
        "equal loads share evenly: {shares:?}"
    );
}

#[test]
fn least_loaded_levels_the_loads() {
    let scene = Scene::new(Strategy::LeastLoaded, 10);
    let held: Vec<Picked> = (0..1000).map(|_| scene.pick()).collect();
    let mut loads = [0; 10];
    for picked in &held {
        loads[picked.index()] += 1;
    }
    assert!(loads.iter().all(|load| (95..=105).contains(load)), "{loads:?}");
}

#[test]
fn failures_in_a_row_eject_and_single_ones_do_not() {
    for strategy in STRATEGIES {
        let scene = Scene::new(strategy, 2);
        for _ in 0..10 {
            for _ in 0..2 {
                scene.picker.pick(&[0], scene.now).unwrap().failure(scene.now);
            }
            scene.picker.pick(&[0], scene.now).unwrap().success();
        }
        assert!(scene.shares(100)[0] > 0);
        scene.eject(0);
    }
}

#[test]
fn one_probe_at_a_time_decides_whether_an_endpoint_is_back() {
    for strategy in STRATEGIES {
        let mut scene = Scene::new(strategy, 2);
        scene.eject(0);
        scene.wait(1.1);
        let probe = loop {
            let picked = scene.pick();
            if picked.index() == 0 {
                break picked;
            }
        };
        assert!(probe.is_probe());
        assert_eq!(scene.shares(100), [0, 100], "nobody else goes there meanwhile");
        probe.success();
        let shares = scene.shares(100);
        assert!(shares[0] > 30, "{shares:?}");
    }
}

#[test]
fn ejections_grow_to_a_bound_and_are_forgotten() {
    let mut scene = Scene::new(Strategy::RoundRobin, 2);
    scene.eject(0);
    for lasts in [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0] {
        scene.wait(lasts - 0.1);
        assert_eq!(scene.shares(10)[0], 0, "still out after {lasts} s less a bit");
        scene.wait(0.2);
        let probe = (0..2).map(|_| scene.pick()).find(Picked::is_probe).unwrap();
        probe.failure(scene.now);
    }
    scene.wait(31.0);
    scene.shares(2);
    assert_eq!(scene.shares(10), [5, 5], "it is back");
    scene.wait(31.0);
    scene.eject(0);
    scene.wait(1.1);
    scene.shares(2);
    assert_eq!(
        scene.shares(10),
        [5, 5],
        "after a good time it starts anew with the shortest ejection"
    );
}

#[test]
fn an_endpoint_that_fails_again_at_once_is_ejected_for_longer() {
    let mut scene = Scene::new(Strategy::RoundRobin, 2);
    scene.eject(0);
    scene.wait(1.1);
    scene.shares(2);
    scene.eject(0);
    scene.wait(1.1);
    assert_eq!(scene.shares(10)[0], 0);
    scene.wait(1.0);
    scene.shares(2);
    assert_eq!(scene.shares(10), [5, 5]);
}

#[test]
fn a_probe_that_is_given_up_or_never_answers_makes_way_for_another() {
    let mut scene = Scene::new(Strategy::RoundRobin, 2);
    scene.eject(0);
    scene.wait(1.1);
    drop((0..2).map(|_| scene.pick()).find(Picked::is_probe).unwrap());
    let silent = (0..2).map(|_| scene.pick()).find(Picked::is_probe).unwrap();
    assert_eq!(scene.shares(10)[0], 0);
    scene.wait(5.1);
    let next = (0..2).map(|_| scene.pick()).find(Picked::is_probe).unwrap();
    silent.failure(scene.now);
    next.success();
    assert_eq!(
        scene.shares(10),
        [5, 5],
        "the one that was given up no longer decides"
    );
}

#[test]
fn when_all_are_ejected_one_is_chosen_anyway_and_can_bring_itself_back() {
    for strategy in STRATEGIES {
        let scene = Scene::new(strategy, 2);
        scene.eject(0);
        for _ in 0..3 {
            scene.picker.pick(&[1], scene.now).unwrap().failure(scene.now);
        }
        let mut seen = [false; 2];
        for _ in 0..50 {
            let picked = scene.pick();
            assert!(!picked.is_probe());
            seen[picked.index()] = true;
            picked.failure(scene.now);
        }
        assert_eq!(seen, [true; 2], "both are tried");
        let lucky = scene.pick();
        let index = lucky.index();
        lucky.success();
        assert_eq!(scene.shares(10)[index], 10);
    }
}

#[test]
fn an_answer_to_an_old_request_does_not_bring_an_endpoint_back() {
    let scene = Scene::new(Strategy::RoundRobin, 2);
    let old = scene.picker.pick(&[0], scene.now).unwrap();
    scene.eject(0);
    old.success();
    assert_eq!(scene.shares(10)[0], 0);
}

#[test]
fn a_request_that_was_reached_stays_in_flight_until_it_is_dropped() {
    let mut scene = Scene::new(Strategy::LeastLoaded, 2);
    scene.eject(0);
    scene.wait(1.1);
    let mut probe = (0..20).map(|_| scene.pick()).find(Picked::is_probe).unwrap();
    probe.reached();
    assert_eq!(
        scene.shares(100),
        [0, 100],
        "it is in rotation, but has the higher load"
    );
    drop(probe);
    assert!(scene.shares(100)[0] > 0);
}

#[test]
fn what_is_known_of_endpoints_that_left_is_forgotten_when_they_are_many() {
    let now = Instant::now();
    let picker = Picker::<usize>::of_keys(Options::with_strategy(Strategy::RoundRobin), now);
    let held = picker.pick(&[usize::MAX], now).unwrap();
    for endpoint in 0..10_000 {
        picker.pick(&[endpoint], now).unwrap().success();
    }
    let known = picker.known.load();
    assert!(known.len() <= 2 + SPARE + 1, "{}", known.len());
    assert!(
        known.contains_key(&usize::MAX),
        "one with a request in flight is remembered"
    );
    drop(held);
}

#[test]
fn counts_come_out_even_under_many_threads() {
    for strategy in STRATEGIES {
        let scene = Scene::new(strategy, 3);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let scene = &scene;
                scope.spawn(move || {
                    for round in 0..5000 {
                        let picked = scene.pick();
                        match (round + thread) % 4 {
                            0 => picked.failure(scene.now),
                            1 => drop(picked),
                            _ => picked.success(),
                        }
                    }
                });
            }
        });
        assert!(
            scene
                .picker
                .known
                .load()
                .values()
                .all(|health| health.in_flight() == 0)
        );
    }
}

proptest! {
    /// Whatever happens in whatever order, a choice is one of the list, and load is never lost.
    #[test]
    fn any_story_keeps_the_books(
        least_loaded: bool,
        steps in proptest::collection::vec((1_usize..6, 0_u8..4, 0_u64..40_000), 1..200),
    ) {
        let mut scene = Scene::new(STRATEGIES[usize::from(least_loaded)], 6);
        let mut held = Vec::new();
        for (len, what, wait_ms) in steps {
            scene.now += Duration::from_millis(wait_ms);
            let picked = scene.picker.pick(&scene.endpoints[..len], scene.now).unwrap();
            prop_assert!(picked.index() < len);
            match what {
                0 => picked.success(),
                1 => picked.failure(scene.now),
                2 => drop(picked),
                _ => held.push(picked),
            }
        }
        let known = scene.picker.known.load();
        let in_flight: u32 = known.values().map(|health| health.in_flight()).sum();
        prop_assert_eq!(in_flight as usize, held.len());
        held.clear();
        prop_assert!(known.values().all(|health| health.in_flight() == 0));
    }
}
