"""Invocation from one sidecar to another, over HTTP and gRPC, of apps over HTTP and gRPC."""

import json

import grpc
import pytest
from dapr.clients.exceptions import DaprHttpError

from harness import client_of


@pytest.fixture
def grpc_client(lone):
    with client_of(lone, invocation="grpc") as client:
        yield client


def test_an_http_app_is_called_over_http(client, http_app):
    answer = client.invoke_method(
        "py-http",
        "echo/a/b",
        b'{"n":1}',
        content_type="application/json",
        metadata=(("x-custom", "kept"),),
        http_verb="PUT",
        http_querystring=(("q", "1 2"), ("r", "ü")),
    )
    seen = json.loads(answer.data)
    assert seen == {
        "verb": "PUT",
        "rest": "a/b",
        "query": "q=1+2&r=%C3%BC",
        "body": '{"n":1}',
        "type": "application/json",
        "custom": "kept",
        "caller": "py-lone",
    }
    assert answer.status_code == 200
    # Names of headers have no case.
    assert [value for name, value in answer.headers.items() if name.lower() == "x-answer"] == [["yes"]]


def test_a_get_has_no_body(client, http_app):
    seen = json.loads(client.invoke_method("py-http", "echo", b"", http_verb="GET").data)
    assert (seen["verb"], seen["body"]) == ("GET", "")


def test_the_apps_own_errors_reach_the_caller(client, http_app):
    with pytest.raises(DaprHttpError) as caught:
        client.invoke_method("py-http", "fail", b"", http_verb="POST")
    assert caught.value.status_code == 418
    assert caught.value.raw_response_bytes == b"no tea here"
    with pytest.raises(DaprHttpError) as caught:
        client.invoke_method("py-http", "no-such-method", b"", http_verb="POST")
    assert caught.value.status_code == 404


def test_an_http_app_is_called_over_grpc(grpc_client, http_app):
    answer = grpc_client.invoke_method(
        "py-http", "echo", b"hello", content_type="text/plain", http_verb="POST", http_querystring=(("q", "1"),)
    )
    seen = json.loads(answer.data)
    assert (seen["verb"], seen["query"], seen["body"], seen["type"]) == ("POST", "q=1", "hello", "text/plain")
    assert seen["caller"] == "py-lone"
    with pytest.raises(grpc.RpcError) as caught:
        grpc_client.invoke_method("py-http", "no-such-method", b"", http_verb="POST")
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


def test_a_grpc_app_is_called_over_grpc(grpc_client, grpc_app):
    answer = grpc_client.invoke_method("py-grpc", "echo", b"hello", content_type="text/plain")
    assert answer.data == b"<hello>"
    assert answer.content_type == "text/plain"
    assert answer.headers["x-answer"] == ["yes"]
    assert answer.headers["x-caller"] == ["py-lone"]


def test_a_method_that_a_grpc_app_lacks_is_unimplemented(grpc_client, grpc_app):
    with pytest.raises(grpc.RpcError) as caught:
        grpc_client.invoke_method("py-grpc", "no-such-method", b"")
    # The SDK's server raises after it has set the code, which gRPC then tells.
    assert "not implemented" in caught.value.details()


def test_a_grpc_app_is_called_over_http(client, grpc_app):
    answer = client.invoke_method("py-grpc", "echo", b"hello", content_type="text/plain", http_verb="POST")
    assert answer.data == b"<hello>"
    assert answer.content_type == "text/plain"


def test_an_app_that_is_not_there_over_http(client):
    with pytest.raises(DaprHttpError) as caught:
        client.invoke_method("nobody", "echo", b"", http_verb="POST")
    assert caught.value.status_code == 500
    assert caught.value.error_code == "ERR_DIRECT_INVOKE"


def test_an_app_that_is_not_there_over_grpc(grpc_client):
    with pytest.raises(grpc.RpcError) as caught:
        grpc_client.invoke_method("nobody", "echo", b"", http_verb="POST")
    assert caught.value.code() in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNAVAILABLE)


@pytest.fixture
def proxied(lone, grpc_app):
    """A plain gRPC channel to the caller's sidecar, which passes calls on to the app that the metadata names."""
    with grpc.insecure_channel(f"127.0.0.1:{lone.grpc_port}") as channel:
        yield channel


TO_APP = (("dapr-app-id", "py-grpc"),)


def test_the_apps_own_service_is_reached_through_the_sidecars(proxied):
    double = proxied.unary_unary("/demo.Doubler/Double")
    assert double(b"ab", metadata=TO_APP, timeout=10) == b"abab"


def test_streams_of_the_apps_own_service_go_both_ways(proxied):
    each = proxied.stream_stream("/demo.Doubler/Each")
    parts = [b"a", b"b" * 100_000, b""]
    assert list(each(iter(parts), metadata=TO_APP, timeout=10)) == [part + part for part in parts]


def test_the_status_of_the_apps_own_service_is_kept(proxied):
    with pytest.raises(grpc.RpcError) as caught:
        proxied.unary_unary("/demo.Doubler/Refuse")(b"", metadata=TO_APP, timeout=10)
    assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert caught.value.details() == "not today"
