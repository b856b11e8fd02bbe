//! Which subscription gets which message.

use outrigger_block_kit::{
    conformance::{Outcome, eventually},
    ensure, ensure_eq,
};

use super::{Recorder, Subject};

/// Messages in a rule of two topics.
const MESSAGES: usize = 10;

/// Publishing where nobody listens is no error.
pub async fn a_topic_needs_no_subscriber(subject: &Subject) -> Outcome {
    subject.publish("nobody", "x").await?;
    Ok(())
}

/// Each of two handlers gets only its topic; when one subscription is closed, the other goes on and the closed one gets
/// nothing more.
pub async fn topics_are_apart(subject: &Subject) -> Outcome {
    let (left, right) = (Recorder::new(), Recorder::new());
    let left_subscription = subject.subscribe("left", &left).await?;
    let right_subscription = subject.subscribe("right", &right).await?;
    let texts = |side: &str| (0..MESSAGES).map(|n| format!("{side}-{n}")).collect::<Vec<_>>();
    let (lefts, rights) = (texts("left"), texts("right"));
    for (l, r) in lefts.iter().zip(&rights) {
        subject.publish("left", l).await?;
        subject.publish("right", r).await?;
    }
    left.wait_for(&lefts, subject.traits.patience).await?;
    right.wait_for(&rights, subject.traits.patience).await?;

    left_subscription.close().await;
    subject.publish("left", "left-late").await?;
    subject.publish("right", "right-late").await?;
    right.wait_for(&["right-late"], subject.traits.patience).await?;
    right_subscription.close().await;
    for (recorder, side) in [(left, "left-"), (right, "right-")] {
        let strange: Vec<_> = recorder
            .texts()
            .into_iter()
            .filter(|text| !text.starts_with(side))
            .collect();
        ensure!(strange.is_empty(), "the handler of {side:?} got {strange:?}");
        ensure!(
            !recorder.texts().contains(&"left-late".to_owned()),
            "a closed subscription got a message"
        );
    }
    Ok(())
}

/// Two subscriptions of one topic: each gets every message, or each message goes to one of them.
pub async fn two_subscriptions_share_or_each_get_all(subject: &Subject) -> Outcome {
    let (one, two) = (Recorder::new(), Recorder::new());
    let first = subject.subscribe("twice", &one).await?;
    let second = subject.subscribe("twice", &two).await?;
    let texts: Vec<String> = (0..MESSAGES).map(|n| format!("twice-{n}")).collect();
    for text in &texts {
        subject.publish("twice", text).await?;
    }
    if subject.traits.fan_out {
        one.wait_for(&texts, subject.traits.patience).await?;
        two.wait_for(&texts, subject.traits.patience).await?;
    } else {
        let both = || [one.texts(), two.texts()].concat();
        eventually(
            "every message goes to one of them",
            subject.traits.patience,
            async || Ok(texts.iter().all(|text| both().contains(text))),
        )
        .await?;
        let mut all = both();
        all.sort_unstable();
        ensure_eq!(all, texts, "messages of both");
    }
    first.close().await;
    second.close().await;
    Ok(())
}

/// A pattern gets what it matches, under the message's own topic, and nothing else.
pub async fn a_pattern_gets_what_it_matches(subject: &Subject) -> Outcome {
    let Some(wildcard) = subject.traits.wildcard else {
        return Ok(());
    };
    let (pattern, exact) = (Recorder::new(), Recorder::new());
    let pattern_subscription = subject.subscribe(wildcard.pattern, &pattern).await?;
    let exact_subscription = subject.subscribe(wildcard.outside, &exact).await?;
    subject.publish(wildcard.outside, "outside").await?;
    subject.publish(wildcard.inside, "inside").await?;
    pattern.wait_for(&["inside"], subject.traits.patience).await?;
    exact.wait_for(&["outside"], subject.traits.patience).await?;
    ensure_eq!(pattern.texts(), ["inside"], "messages of the pattern");
    ensure_eq!(exact.texts(), ["outside"], "messages of the topic outside");
    for message in pattern.accepted() {
        ensure_eq!(
            *message.topic,
            *subject.topic(wildcard.inside),
            "the topic of the message"
        );
    }
    pattern_subscription.close().await;
    exact_subscription.close().await;
    Ok(())
}
