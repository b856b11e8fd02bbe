"""State, in memory and in SQLite: get, set, delete, bulk, transactions, ETags, time to live, and errors."""

import json

import grpc
import pytest
from dapr.clients.exceptions import DaprGrpcError
from dapr.clients.grpc._request import TransactionalStateOperation, TransactionOperationType
from dapr.clients.grpc._state import Concurrency, Consistency, StateItem, StateOptions

from harness import eventually

FIRST_WRITE = StateOptions(consistency=Consistency.strong, concurrency=Concurrency.first_write)


@pytest.fixture(params=["statestore", "sqlstore"])
def store(request):
    return request.param


def test_a_value_is_saved_read_replaced_and_deleted(client, store):
    assert client.get_state(store, "a").data == b""
    client.save_state(store, "a", "one")
    client.save_state(store, "a", "two")
    found = client.get_state(store, "a")
    assert found.data == b"two"
    assert found.etag
    client.delete_state(store, "a")
    assert client.get_state(store, "a").data == b""


def test_json_and_bytes_come_back_as_they_went(client, store):
    value = json.dumps({"name": "Ä", "list": [1, 2.5, None]})
    client.save_state(store, "json", value)
    assert json.loads(client.get_state(store, "json").data) == json.loads(value)
    client.save_state(store, "bytes", bytes(range(256)))
    assert client.get_state(store, "bytes").data == bytes(range(256))


def test_many_values_are_saved_and_read_at_once(client, store):
    client.save_bulk_state(store, [StateItem(key=f"bulk-{n}", value=str(n)) for n in range(5)])
    keys = [f"bulk-{n}" for n in range(5)] + ["bulk-none"]
    found = {item.key: item for item in client.get_bulk_state(store, keys, parallelism=3).items}
    assert [found[f"bulk-{n}"].text() for n in range(5)] == ["0", "1", "2", "3", "4"]
    assert all(found[f"bulk-{n}"].etag for n in range(5))
    assert found["bulk-none"].data == b"" and not found["bulk-none"].error


def test_a_write_with_an_old_etag_is_refused(client, store):
    client.save_state(store, "tagged", "one")
    first = client.get_state(store, "tagged").etag
    client.save_state(store, "tagged", "two", etag=first, options=FIRST_WRITE)
    with pytest.raises(DaprGrpcError) as caught:
        client.save_state(store, "tagged", "three", etag=first, options=FIRST_WRITE)
    assert caught.value.code() == grpc.StatusCode.ABORTED
    with pytest.raises(DaprGrpcError) as caught:
        client.delete_state(store, "tagged", etag=first, options=FIRST_WRITE)
    assert caught.value.code() == grpc.StatusCode.ABORTED
    now = client.get_state(store, "tagged")
    assert now.data == b"two"
    client.delete_state(store, "tagged", etag=now.etag, options=FIRST_WRITE)
    assert client.get_state(store, "tagged").data == b""


def test_a_first_write_without_an_etag_finds_the_place_taken(client, store):
    client.save_state(store, "first", "one", options=FIRST_WRITE)
    with pytest.raises(DaprGrpcError) as caught:
        client.save_state(store, "first", "two", options=FIRST_WRITE)
    assert caught.value.code() == grpc.StatusCode.ABORTED
    assert client.get_state(store, "first").data == b"one"


def test_an_etag_in_no_form_of_the_store_is_refused(client):
    client.save_state("sqlstore", "formed", "one")
    with pytest.raises(DaprGrpcError) as caught:
        client.save_state("sqlstore", "formed", "two", etag="\0not one", options=FIRST_WRITE)
    assert caught.value.code() in (grpc.StatusCode.ABORTED, grpc.StatusCode.INVALID_ARGUMENT)
    assert client.get_state("sqlstore", "formed").data == b"one"


def test_a_transaction_does_all_or_nothing(client, store):
    client.save_state(store, "old", "value")
    client.execute_state_transaction(
        store,
        [
            TransactionalStateOperation(key="t1", data="one"),
            TransactionalStateOperation(key="t2", data="two"),
            TransactionalStateOperation(key="old", operation_type=TransactionOperationType.delete),
        ],
    )
    assert [client.get_state(store, key).data for key in ("t1", "t2", "old")] == [b"one", b"two", b""]

    etag = client.get_state(store, "t1").etag
    client.save_state(store, "t1", "newer")
    with pytest.raises(DaprGrpcError):
        client.execute_state_transaction(
            store,
            [
                TransactionalStateOperation(key="t2", data="changed"),
                TransactionalStateOperation(key="t1", data="changed", etag=etag),
            ],
        )
    assert [client.get_state(store, key).data for key in ("t1", "t2")] == [b"newer", b"two"]


def test_a_value_with_a_time_to_live_is_gone_after_it(client, store):
    client.save_state(store, "short", "lived", state_metadata={"ttlInSeconds": "1"})
    client.save_state(store, "long", "lived", state_metadata={"ttlInSeconds": "100"})
    assert client.get_state(store, "short").data == b"lived"
    eventually(lambda: client.get_state(store, "short").data == b"", "the value expires")
    assert client.get_state(store, "long").data == b"lived"


def test_a_store_that_is_not_there_is_named(client):
    with pytest.raises(DaprGrpcError) as caught:
        client.get_state("nowhere", "a")
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details() == "state store nowhere is not found"
    assert caught.value.error_code() == "DAPR_STATE_NOT_FOUND"


def test_a_key_with_the_separator_is_refused(client, store):
    with pytest.raises(DaprGrpcError) as caught:
        client.save_state(store, "a||b", "value")
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_apps_do_not_see_each_others_keys(client, http_app):
    from harness import client_of

    client.save_state("statestore", "mine", "lone")
    with client_of(http_app.sidecar) as other:
        assert other.get_state("statestore", "mine").data == b""
