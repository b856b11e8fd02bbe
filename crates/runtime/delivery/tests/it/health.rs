//! Subscriptions follow the app's health.

use std::{sync::atomic::Ordering, time::Duration};

use outrigger_base_task::StopSignal;
use outrigger_runtime_channel::health::{Options, watch_app};

use crate::{
    app::shared,
    rig::{Plan, wants},
};

#[tokio::test(start_paused = true)]
async fn unwell_pauses_and_well_starts() {
    let app = shared(vec![wants("fake", "t", "/in")]);
    app.well.store(false, Ordering::SeqCst);
    let options = Options {
        threshold: 1,
        ..Options::default()
    };
    let (health, watching) = watch_app(app.clone(), options, StopSignal::default());
    let mut plan = Plan::new(&app, "");
    plan.health = health;
    let rig = plan.build().await;
    rig.tasks.spawn("health", watching);
    rig.subscriptions.follow_health();
    let stands = async |count: usize| {
        let waiting = async {
            while rig.broker.standing("t") != count {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(20), waiting).await;
        assert!(
            waited.is_ok(),
            "there are still {} subscriptions",
            rig.broker.standing("t")
        );
    };
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(
        app.asked.load(Ordering::SeqCst),
        0,
        "an unwell app is asked nothing"
    );
    for well in [true, false, true] {
        app.well.store(well, Ordering::SeqCst);
        stands(usize::from(well)).await;
    }
    assert_eq!(app.asked.load(Ordering::SeqCst), 1);
    rig.subscriptions.stop().await;
    stands(0).await;
}
