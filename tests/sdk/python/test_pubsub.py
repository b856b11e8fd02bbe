"""Publishing, and delivery to apps over HTTP and gRPC and to streaming subscriptions."""

import json

import grpc
import pytest
from dapr.clients.exceptions import DaprGrpcError
from dapr.clients.grpc._request import BulkPublishEntry
from dapr.clients.grpc._response import TopicEventResponse

from apps import Inbox
from harness import client_of, eventually


@pytest.fixture
def http_side(http_app):
    with client_of(http_app.sidecar) as client:
        yield client


@pytest.fixture
def grpc_side(grpc_app):
    with client_of(grpc_app.sidecar) as client:
        yield client


def test_an_http_app_gets_cloud_events(http_side, http_app):
    http_side.publish_event("pubsub", "orders", '{"id": 7}', data_content_type="application/json")
    [event] = [e for e in http_app.inbox.wait_for("orders") if e["data"] == {"id": 7}]
    assert event["specversion"] == "1.0"
    assert event["type"] == "com.dapr.event.sent"
    assert event["source"] == "py-http"
    assert event["datacontenttype"] == "application/json"
    assert (event["pubsubname"], event["topic"]) == ("pubsub", "orders")
    assert event["id"] and event["time"]


def test_many_events_are_published_at_once(http_side, http_app):
    before = len(http_app.inbox.get("orders"))
    entries = ["plain", BulkPublishEntry(event="of its own", entry_id="second")]
    answer = http_side.publish_events("pubsub", "orders", entries, data_content_type="text/plain")
    assert answer.failed_entries == []
    received = http_app.inbox.wait_for("orders", before + 2)[before:]
    assert sorted(e["data"] for e in received) == ["of its own", "plain"]
    assert {e["datacontenttype"] for e in received} == {"text/plain"}


def test_a_cloud_event_of_the_apps_own_is_passed_on(http_side, http_app):
    before = len(http_app.inbox.get("orders"))
    own = {"specversion": "1.0", "id": "own-1", "source": "shop", "type": "order.made", "data": "d", "extra": "kept"}
    http_side.publish_event("pubsub", "orders", json.dumps(own), data_content_type="application/cloudevents+json")
    event = http_app.inbox.wait_for("orders", before + 1)[before]
    assert {**event, **own} == event


def test_a_raw_message_goes_without_an_envelope(http_side, http_app):
    http_side.publish_event("pubsub", "raw", b"\x00\xff", publish_metadata={"rawPayload": "true"})
    [event] = http_app.inbox.wait_for("raw")
    # The subscription is raw as well, so the sidecar makes the envelope, around the bytes as they came.
    assert event["data_base64"] == "AP8="


def test_a_message_that_an_http_app_drops_is_gone(http_side, http_app):
    http_side.publish_event("pubsub", "dropped", "one")
    http_side.publish_event("pubsub", "dropped", "two")
    received = http_app.inbox.wait_for("dropped", 2)
    assert [e["data"] for e in received] == ["one", "two"]


def test_a_message_that_an_http_app_retries_comes_again(http_side, http_app):
    http_side.publish_event("broker", "retried", "again")
    received = http_app.inbox.wait_for("retried", 2)
    assert [e["data"] for e in received] == ["again", "again"]
    assert received[0]["id"] == received[1]["id"]


def test_a_message_that_an_http_app_fails_on_goes_to_the_dead_letters(http_side, http_app):
    http_side.publish_event("pubsub", "poison", '{"bad": true}', data_content_type="application/json")
    [dead] = http_app.inbox.wait_for("poison-dead")
    [poison] = http_app.inbox.get("poison")
    assert dead["data"] == {"bad": True}
    assert dead["id"] == poison["id"]


def test_a_grpc_app_gets_events(grpc_side, grpc_app):
    grpc_side.publish_event("pubsub", "orders", '{"id": 8}', data_content_type="application/json")
    [event] = grpc_app.inbox.wait_for("orders")
    assert event.data() == {"id": 8}
    assert event.data_content_type() == "application/json"
    assert (event.pubsub_name(), event.topic()) == ("pubsub", "orders")
    assert (event.source(), event.type(), event.spec_version()) == ("py-grpc", "com.dapr.event.sent", "1.0")


def test_a_message_that_a_grpc_app_drops_is_gone(grpc_side, grpc_app):
    grpc_side.publish_event("pubsub", "dropped", "one", data_content_type="text/plain")
    grpc_side.publish_event("pubsub", "dropped", "two", data_content_type="text/plain")
    assert [e.data() for e in grpc_app.inbox.wait_for("dropped", 2)] == ["one", "two"]


def test_a_message_that_a_grpc_app_retries_comes_again(grpc_side, grpc_app):
    grpc_side.publish_event("broker", "retried", "again", data_content_type="text/plain")
    received = grpc_app.inbox.wait_for("retried", 2)
    assert [e.data() for e in received] == ["again", "again"]
    assert received[0].id() == received[1].id()


def test_a_message_that_a_grpc_app_fails_on_goes_to_the_dead_letters(grpc_side, grpc_app):
    grpc_side.publish_event("pubsub", "poison", "bad", data_content_type="text/plain")
    [dead] = grpc_app.inbox.wait_for("poison-dead")
    [poison] = grpc_app.inbox.get("poison")
    assert (dead.data(), dead.id()) == ("bad", poison.id())


def test_rules_choose_the_handler_in_order(grpc_side, grpc_app):
    # The bird matches no rule, and there is no default: it goes nowhere.
    for kind in ("cat", "bird", "cow"):
        grpc_side.publish_event("pubsub", "animals", kind, {"cloudevent.type": kind}, data_content_type="text/plain")
    assert [e.data() for e in grpc_app.inbox.wait_for("cats")] == ["cat"]
    assert [e.data() for e in grpc_app.inbox.wait_for("other_c_animals")] == ["cow"]


def test_a_stream_is_read_and_answered(client):
    subscription = client.subscribe("pubsub", "streamed")
    try:
        for n in range(3):
            client.publish_event("pubsub", "streamed", json.dumps({"n": n}), data_content_type="application/json")
            message = subscription.next_message()
            assert message.data() == {"n": n}
            assert (message.topic(), message.pubsub_name()) == ("streamed", "pubsub")
            subscription.respond_success(message)
    finally:
        subscription.close()


def test_what_a_stream_retries_comes_again_and_what_it_drops_does_not(client):
    subscription = client.subscribe("broker", "streamed-again")
    try:
        client.publish_event("broker", "streamed-again", "retry me", data_content_type="text/plain")
        first = subscription.next_message()
        subscription.respond_retry(first)
        second = subscription.next_message()
        assert (second.data(), second.id()) == ("retry me", first.id())
        subscription.respond_drop(second)
        client.publish_event("broker", "streamed-again", "next", data_content_type="text/plain")
        third = subscription.next_message()
        assert third.data() == "next"
        subscription.respond_success(third)
    finally:
        subscription.close()


def test_handlers_of_streams_and_their_dead_letters(client):
    inbox = Inbox()

    def poison(message):
        inbox.put("poison", message.data())
        return TopicEventResponse("drop")

    def dead(message):
        inbox.put("dead", message.data())
        return TopicEventResponse("success")

    close_dead = client.subscribe_with_handler("pubsub", "stream-dead", dead)
    close_poison = client.subscribe_with_handler(
        "pubsub", "stream-poison", poison, dead_letter_topic="stream-dead"
    )
    try:
        client.publish_event("pubsub", "stream-poison", "bad", data_content_type="text/plain")
        assert inbox.wait_for("dead") == ["bad"]
        assert inbox.get("poison") == ["bad"]
    finally:
        close_poison()
        close_dead()


def test_a_stream_that_was_closed_gets_nothing_more(client, lone):
    subscription = client.subscribe("pubsub", "closed")
    topics = lambda: [s["topic"] for s in lone.metadata().get("subscriptions", [])]  # noqa: E731
    eventually(lambda: "closed" in topics(), "the stream is listed")
    subscription.close()
    eventually(lambda: "closed" not in topics(), "the stream is gone from the list")
    client.publish_event("pubsub", "closed", "nobody hears")


def test_a_broker_that_is_not_there_is_named(client):
    with pytest.raises(DaprGrpcError) as caught:
        client.publish_event("nowhere", "orders", "x")
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.error_code() == "DAPR_PUBSUB_NOT_FOUND"
