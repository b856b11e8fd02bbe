//! Publish and subscribe, in memory.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{
    Subject, Values,
    chain::{hops, unfit},
    invoke::latencies,
};
use crate::bench::{
    failure::{Failure, Result},
    http,
    lab::{Bare, Lab},
    load::{FULL_SPEED, Load, RATE},
    sidecar::{Maker, Setup, Sidecar, component_folder},
};

const PUBSUB: &str = "pubsub";
const TOPIC: &str = "topic";
/// Where the app takes events.
const DELIVER: &str = "deliver";
/// How long a subscription may take to be there, and the last events to arrive.
const PATIENCE: Duration = Duration::from_secs(20);
/// Events of the largest burst: less than the 65,536 that our broker in memory holds for a subscription.
const BURST: u64 = 60_000;
/// Events of a burst for each second that is asked for.
const EVENTS_A_SECOND: f64 = 7_500.0;
/// How long the events of a burst may take to arrive.
const BURST_PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks at the subscriber.
const LOOK: Duration = Duration::from_millis(20);

/// Publishing when nobody listens, 1 KB.
pub(super) fn publish(lab: &Lab, subject: Subject) -> Result<Values> {
    match subject {
        Subject::Direct => {
            let app = lab.bare("echo", &[])?;
            Ok(latencies(
                &event_load(format!("http://{}/event", app.address), FULL_SPEED, None).run(lab)?,
            ))
        }
        Subject::Sidecar(maker) => {
            let sidecar = sidecar(lab, maker, None)?;
            Ok(latencies(
                &event_load(publish_url(&sidecar), FULL_SPEED, None).run(lab)?,
            ))
        }
        _ => Err(unfit(subject)),
    }
}

/// Events a second that one subscriber gets of a burst from many publishers: from the first event published to the last
/// delivered. A broker in memory must refuse what it has no room for, so a burst is what one has room for. One subscriber
/// in order gets one event at a time: the limit is a chain of round trips.
pub(super) fn deliver(lab: &Lab, subject: Subject) -> Result<Values> {
    match subject {
        Subject::Serial => {
            let app = lab.bare("echo", &[])?;
            let loaded = event_load(format!("http://{}/{DELIVER}", app.address), 1, None).run(lab)?;
            Ok(Values::from([("delivered".to_owned(), loaded.rps)]))
        }
        Subject::Sidecar(maker) => {
            let (app, sidecar) = subscribed(lab, maker)?;
            let url = publish_url(&sidecar);
            burst(lab, &app, &url, (lab.warmup() * EVENTS_A_SECOND) as u64)?;
            http::request(&app.address, "POST", "/stats/reset", "")?;
            burst(lab, &app, &url, (lab.seconds * EVENTS_A_SECOND) as u64)
        }
        _ => Err(unfit(subject)),
    }
}

fn burst(lab: &Lab, app: &Bare, url: &str, events: u64) -> Result<Values> {
    let events = events.min(BURST);
    let load = Load {
        requests: Some(events),
        ..event_load(url.to_owned(), FULL_SPEED, None)
    };
    let begun = Instant::now();
    let published = load.run(lab)?;
    let end = begun + BURST_PATIENCE;
    while delivered(app)? < events as f64 {
        if Instant::now() > end {
            return Err(Failure::new(format!(
                "{} of {events} events were delivered in {BURST_PATIENCE:?}",
                delivered(app)?
            )));
        }
        thread::sleep(LOOK);
    }
    Ok(Values::from([
        (
            "delivered".to_owned(),
            events as f64 / begun.elapsed().as_secs_f64(),
        ),
        ("published".to_owned(), published.rps),
    ]))
}

/// From before an event is published until it is in the subscriber's hands, at a fixed rate from one publisher, whose
/// events must all arrive. A bare hop in front of the subscriber is the limit.
pub(super) fn latency(lab: &Lab, subject: Subject) -> Result<Values> {
    match subject {
        Subject::OneHop => {
            let app = lab.bare("echo", &[])?;
            let (address, _hop) = hops(lab, subject, &app.address, false)?;
            fixed_rate(lab, &app, format!("http://{address}/{DELIVER}"))
        }
        Subject::Sidecar(maker) => {
            let (app, sidecar) = subscribed(lab, maker)?;
            fixed_rate(lab, &app, publish_url(&sidecar))
        }
        _ => Err(unfit(subject)),
    }
}

fn fixed_rate(lab: &Lab, app: &Bare, url: String) -> Result<Values> {
    let sent = event_load(url, 1, Some(RATE)).run(lab)?.sent;
    let end = Instant::now() + PATIENCE;
    while delivered(app)? < sent && Instant::now() < end {
        thread::sleep(LOOK);
    }
    let stats = stats(app)?;
    let number = |name: &str| stats[name].as_f64().unwrap_or(f64::NAN);
    if number("delivered") < sent {
        return Err(Failure::new(format!(
            "{} of {sent} events were delivered",
            number("delivered")
        )));
    }
    let names = ["p50", "p90", "p99", "max", "unordered"];
    Ok(names
        .into_iter()
        .map(|name| (name.to_owned(), number(name)))
        .collect())
}

/// Events of 1 KB that carry when they were sent and which they are.
fn event_load(url: String, connections: u32, rate: Option<u32>) -> Load {
    let body = r#"{"sent":{now},"number":{n},"fill":"{fill:960}"}"#.to_owned();
    let headers = vec!["content-type: application/json".to_owned()];
    Load {
        url,
        body: Some(body),
        headers,
        connections,
        rate,
        ..Load::default()
    }
}

fn publish_url(sidecar: &Sidecar) -> String {
    format!("http://{}/v1.0/publish/{PUBSUB}/{TOPIC}", sidecar.http)
}

fn sidecar(lab: &Lab, maker: Maker, app: Option<&str>) -> Result<Sidecar> {
    let folder = component_folder(lab, &[(PUBSUB, "pubsub.in-memory", &[])])?;
    Sidecar::start(
        lab,
        maker,
        &Setup {
            app_id: "bench",
            app,
            resources: Some(&folder),
            ..Setup::default()
        },
    )
}

/// A sidecar whose app has got its first event.
fn subscribed(lab: &Lab, maker: Maker) -> Result<(Bare, Sidecar)> {
    let app = lab.bare("echo", &["--subscribe", &format!("{PUBSUB}/{TOPIC}")])?;
    let sidecar = sidecar(lab, maker, Some(&app.address))?;
    let end = Instant::now() + PATIENCE;
    loop {
        let answer = http::request(
            &sidecar.http,
            "POST",
            &format!("/v1.0/publish/{PUBSUB}/{TOPIC}"),
            "{}",
        )?;
        if answer.status != 204 {
            return Err(Failure::new(format!(
                "publishing answered {} {}",
                answer.status, answer.body
            )));
        }
        thread::sleep(LOOK);
        if delivered(&app)? > 0.0 {
            break;
        }
        if Instant::now() > end {
            return Err(sidecar.process.failure("delivered nothing to a subscriber"));
        }
    }
    drain(&app)?;
    http::request(&app.address, "POST", "/stats/reset", "")?;
    Ok((app, sidecar))
}

/// Waits until nothing more arrives, so that what was published to find out does not count.
fn drain(app: &Bare) -> Result<()> {
    let mut last = -1.0;
    while last < delivered(app)? {
        last = delivered(app)?;
        thread::sleep(LOOK * 5);
    }
    Ok(())
}

fn delivered(app: &Bare) -> Result<f64> {
    let stats = stats(app)?;
    stats["delivered"]
        .as_f64()
        .ok_or_else(|| Failure::new(format!("the subscriber's counters have no count: {stats}")))
}

fn stats(app: &Bare) -> Result<Value> {
    let answer = http::request(&app.address, "GET", "/stats", "")?;
    serde_json::from_str(&answer.body)
        .map_err(|error| Failure::new(format!("reading the subscriber's counters: {error}")))
}
