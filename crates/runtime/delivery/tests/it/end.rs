//! How subscriptions end.

use std::{sync::Arc, time::Duration};

use outrigger_runtime_channel::EventVerdict;

use crate::{
    app::shared,
    fake_broker::{Answer, event},
    rig::{Rig, wants},
};

fn with_dead_letter() -> outrigger_runtime_channel::AppSubscription {
    let mut wanted = wants("fake", "t", "/in");
    wanted.dead_letter_topic = Some("dead".to_owned());
    wanted
}

#[tokio::test(start_paused = true)]
async fn a_stop_finishes_what_is_in_hand() {
    let app = shared(vec![with_dead_letter()]);
    let rig = Rig::started(&app, "").await;
    app.shut();
    let stop = async {
        app.saw(3).await;
        tokio::join!(rig.subscriptions.stop(), async {
            tokio::time::sleep(Duration::from_secs(20)).await;
            assert_eq!(rig.broker.standing("t"), 0, "the intake ends at once");
            app.open();
        });
    };
    let deliver = |data| rig.broker.deliver("t", event("t", "y", data));
    let (first, second, third, ()) = tokio::join!(deliver("1"), deliver("2"), deliver("3"), stop);
    assert_eq!(
        [first, second, third],
        [Answer::Acked, Answer::Acked, Answer::Acked]
    );
    assert!(rig.published().is_empty());
    assert!(rig.api.subscriptions().is_empty());
    rig.subscriptions.start().await;
    assert_eq!(rig.broker.standing("t"), 0, "the end is for good");
    assert!(rig.tasks.close(Duration::from_secs(1)).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_fails_while_a_subscription_closes_stays_with_the_broker() {
    let app = shared(vec![with_dead_letter()]);
    let rig = Rig::started(&app, "").await;
    app.shut();
    app.answers(|_, _| Ok(EventVerdict::Retry));
    let stop = async {
        app.saw(1).await;
        tokio::join!(rig.subscriptions.stop(), async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            app.open();
        });
    };
    let (answer, ()) = tokio::join!(rig.broker.deliver("t", event("t", "y", "1")), stop);
    assert!(matches!(answer, Answer::Kept(_)), "{answer:?}");
    assert!(
        rig.published().is_empty(),
        "a dead letter would take it from the next subscriber"
    );
}

#[tokio::test(start_paused = true)]
async fn an_app_that_never_answers_holds_up_the_end_for_its_time_only() {
    let app = shared(vec![with_dead_letter()]);
    let rig = Rig::started(&app, "").await;
    app.shut();
    let start = tokio::time::Instant::now();
    let stop = async {
        app.saw(1).await;
        rig.subscriptions.stop().await;
    };
    let (answer, ()) = tokio::join!(rig.broker.deliver("t", event("t", "y", "1")), stop);
    assert!(matches!(answer, Answer::Kept(_)), "{answer:?}");
    assert_eq!(start.elapsed().as_secs(), 30);
    assert!(rig.published().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_owner_s_stop_signal_ends_everything_in_order() {
    let app = shared(vec![wants("fake", "t", "/in")]);
    let rig = Arc::new(Rig::started(&app, "").await);
    app.shut();
    let stop = async {
        app.saw(1).await;
        tokio::join!(rig.tasks.close(Duration::from_secs(60)), async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            app.open();
        })
    };
    let (answer, (leftovers, ())) = tokio::join!(rig.broker.deliver("t", event("t", "y", "1")), stop);
    assert_eq!(answer, Answer::Acked);
    assert!(leftovers.is_empty(), "{leftovers:?}");
}

#[tokio::test]
async fn a_pause_keeps_streams_and_the_report() {
    let app = shared(vec![wants("fake", "t", "/in")]);
    let rig = Rig::started(&app, "").await;
    let stream = rig
        .subscriptions
        .open_stream("fake", "s", Default::default(), None);
    let _stream = stream.await.unwrap();
    rig.subscriptions.pause().await;
    assert_eq!((rig.broker.standing("t"), rig.broker.standing("s")), (0, 1));
    assert_eq!(rig.api.subscriptions().len(), 2);
    rig.subscriptions.start().await;
    rig.subscriptions.start().await;
    assert_eq!(rig.broker.standing("t"), 1);
}

/// Publishers run on while the subscription is stopped: what was taken is answered, exactly once.
#[tokio::test]
async fn a_stop_under_load_loses_nothing_that_was_taken() {
    let app = shared(vec![wants("fake", "t", "/in")]);
    let rig = Arc::new(Rig::started(&app, "").await);
    let mut deliveries = Vec::new();
    for number in 0..500 {
        let rig = rig.clone();
        deliveries.push(async move {
            if number % 7 == 0 {
                tokio::task::yield_now().await;
            }
            rig.broker
                .deliver("t", event("t", "y", &number.to_string()))
                .await
        });
    }
    let (answers, ()) = tokio::join!(
        futures_util::future::join_all(deliveries),
        rig.subscriptions.stop()
    );
    assert!(answers.iter().all(|answer| *answer == Answer::Acked));
    assert_eq!(app.seen.borrow().len(), 500);
}
