"""Secrets, metadata, the asynchronous client, tokens, and the end."""

import asyncio

import grpc
import pytest
from dapr.aio.clients import DaprClient as AsyncClient

from harness import client_of, eventually


def test_secrets_are_read(client):
    assert client.get_secret("secrets", "password").secret == {"password": "p1"}
    assert client.get_secret("secrets", "redis:user").secret == {"redis:user": "alice"}


def test_all_secrets_are_read_at_once(client):
    assert client.get_bulk_secret("secrets").secrets == {
        "password": {"password": "p1"},
        "redis:user": {"redis:user": "alice"},
        "redis:token": {"redis:token": "t1"},
    }


def test_a_secret_that_is_not_there(client):
    with pytest.raises(grpc.RpcError) as caught:
        client.get_secret("secrets", "none")
    assert caught.value.code() == grpc.StatusCode.INTERNAL
    with pytest.raises(grpc.RpcError) as caught:
        client.get_secret("nowhere", "password")
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_metadata_tells_of_the_components(client):
    metadata = client.get_metadata()
    assert metadata.application_id == "py-lone"
    components = {component.name: component for component in metadata.registered_components}
    assert components["statestore"].type == "state.in-memory"
    assert components["pubsub"].type == "pubsub.in-memory"
    assert components["secrets"].type == "secretstores.local.file"
    assert {"ETAG", "TRANSACTIONAL", "TTL"} <= set(components["sqlstore"].capabilities)
    assert metadata.extended_metadata["daprRuntimeVersion"].startswith("1.")


def test_metadata_is_set(client):
    client.set_metadata("colour", "blue")
    assert client.get_metadata().extended_metadata["colour"] == "blue"


def test_the_asynchronous_client_does_the_same(lone, http_app):
    async def use():
        async with AsyncClient() as client:
            await client.save_state("statestore", "aio", "value")
            assert (await client.get_state("statestore", "aio")).data == b"value"
            answer = await client.invoke_method("py-http", "echo", b"hi", http_verb="POST")
            assert b'"body":"hi"' in answer.data.replace(b" ", b"")
            subscription = await client.subscribe("pubsub", "aio")
            await client.publish_event("pubsub", "aio", "hello", data_content_type="text/plain")
            message = await subscription.next_message()
            assert message.data() == "hello"
            await subscription.respond_success(message)
            await subscription.close()

    # Entered for its settings only: the asynchronous client reads the same.
    with client_of(lone):
        asyncio.run(asyncio.wait_for(use(), 30))


def test_a_sidecar_with_a_token_wants_it(start):
    sidecar = start("py-token", environment={"DAPR_API_TOKEN": "sesame"})
    with client_of(sidecar, token="sesame") as client:
        client.save_state("statestore", "a", "1")
        assert client.get_state("statestore", "a").data == b"1"
    # The SDK without the token does not get past its health check, so this is a plain call.
    assert sidecar.status_of("/v1.0/metadata") == 401
    sidecar.stop()


def test_a_sidecar_ends_when_it_is_told_to(start):
    sidecar = start("py-end")
    with client_of(sidecar) as client:
        client.shutdown()
    assert eventually(lambda: sidecar.process.poll() is not None and [sidecar.process.returncode], "it ends") == [0]
