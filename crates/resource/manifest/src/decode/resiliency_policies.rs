//! Reads the policies of `Resiliency`.

use std::{ops::RangeInclusive, time::Duration};

use outrigger_base_std::go;

use super::{field::Field, resiliency::by_name};
use crate::resiliency::{BackOff, CircuitBreakerPolicy, CodeRanges, Policies, RetryMatching, RetryPolicy};

/// HTTP status codes.
const HTTP_CODES: RangeInclusive<u16> = 100..=599;

/// gRPC status codes.
const GRPC_CODES: RangeInclusive<u16> = 0..=16;

/// What a policy's duration looks like, for messages.
const POLICY_DURATION: &str = "a duration such as \"500ms\" or \"5s\", or whole milliseconds";

pub(super) fn policies(field: &Field<'_>) -> Policies {
    let object = field.object(&["timeouts", "retries", "circuitBreakers"]);
    Policies {
        timeouts: by_name(&object.get("timeouts"), |field| {
            duration(field).unwrap_or_else(|| {
                if !field.is_present() {
                    field.fail(POLICY_DURATION);
                }
                Duration::ZERO
            })
        }),
        retries: by_name(&object.get("retries"), retry),
        circuit_breakers: by_name(&object.get("circuitBreakers"), circuit_breaker),
    }
}

fn retry(field: &Field<'_>) -> RetryPolicy {
    let object = field.object(&["policy", "duration", "maxInterval", "maxRetries", "matching"]);
    let policy = object.get("policy");
    RetryPolicy {
        policy: match policy
            .some_text()
            .map(|text| text.to_ascii_lowercase())
            .as_deref()
        {
            None | Some("constant") => BackOff::Constant,
            Some("exponential") => BackOff::Exponential,
            Some(_) => {
                policy.fail("constant or exponential");
                BackOff::Constant
            }
        },
        duration: duration(&object.get("duration")),
        max_interval: duration(&object.get("maxInterval")),
        max_retries: object.get("maxRetries").int(i64::MIN, i64::MAX),
        matching: matching(&object.get("matching")),
    }
}

fn matching(field: &Field<'_>) -> Option<RetryMatching> {
    if !field.is_present() {
        return None;
    }
    let object = field.object(&["httpStatusCodes", "gRPCStatusCodes"]);
    Some(RetryMatching {
        http_status_codes: codes(&object.get("httpStatusCodes"), &HTTP_CODES),
        grpc_status_codes: codes(&object.get("gRPCStatusCodes"), &GRPC_CODES),
    })
}

/// A comma list of codes and of `a-b` ranges; empty entries are left out.
fn codes(field: &Field<'_>, valid: &RangeInclusive<u16>) -> Option<CodeRanges> {
    let text = field.some_text()?;
    let ranges = text
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .map(|entry| code_range(entry, valid))
        .collect::<Option<Vec<_>>>();
    if ranges.is_none() {
        field.fail(format!(
            "status codes from {} to {}, as in \"{}\"",
            valid.start(),
            valid.end(),
            if *valid == GRPC_CODES {
                "4,8-10"
            } else {
                "429,500-503"
            },
        ));
    }
    ranges.map(CodeRanges)
}

fn code_range(entry: &str, valid: &RangeInclusive<u16>) -> Option<RangeInclusive<u16>> {
    let (start, end) = entry.split_once('-').unwrap_or((entry, entry));
    let (start, end) = (start.parse().ok()?, end.parse().ok()?);
    (valid.contains(&start) && valid.contains(&end) && start <= end).then_some(start..=end)
}

fn circuit_breaker(field: &Field<'_>) -> CircuitBreakerPolicy {
    let object = field.object(&["maxRequests", "interval", "timeout", "trip"]);
    CircuitBreakerPolicy {
        // Zero means the default, as in Dapr.
        max_requests: object
            .get("maxRequests")
            .int(0, u32::MAX.into())
            .and_then(|number| u32::try_from(number).ok())
            .filter(|number| *number > 0),
        interval: duration(&object.get("interval")),
        timeout: duration(&object.get("timeout")),
        trip: object.get("trip").some_text(),
    }
}

/// A Go duration, or whole milliseconds.
fn duration(field: &Field<'_>) -> Option<Duration> {
    let text = field.some_text()?;
    let value = match text.parse::<u64>() {
        Ok(millis) => Some(Duration::from_millis(millis)),
        Err(_) => go::parse_duration(&text).ok(),
    };
    if value.is_none() {
        field.fail(POLICY_DURATION);
    }
    value
}
