package sdk

import (
	"fmt"
	"testing"

	dapr "github.com/dapr/go-sdk/client"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

var firstWrite = &dapr.StateOptions{
	Concurrency: dapr.StateConcurrencyFirstWrite,
	Consistency: dapr.StateConsistencyStrong,
}

func TestState(t *testing.T) {
	client := startSidecar(t, "go-state", app{}).client(t)
	for _, store := range []string{"statestore", "sqlstore"} {
		t.Run(store, func(t *testing.T) {
			t.Run("a value is saved, read, replaced and deleted", func(t *testing.T) { saveReadDelete(t, client, store) })
			t.Run("many values at once", func(t *testing.T) { bulk(t, client, store) })
			t.Run("a write with an old ETag is refused", func(t *testing.T) { etags(t, client, store) })
			t.Run("a transaction does all or nothing", func(t *testing.T) { transaction(t, client, store) })
			t.Run("a value with a time to live is gone after it", func(t *testing.T) { timeToLive(t, client, store) })
		})
	}
	t.Run("a store that is not there is named", func(t *testing.T) {
		_, err := client.GetState(patient(t), "nowhere", "a", nil)
		equal(t, "code", status.Code(err), codes.InvalidArgument)
	})
}

// value is what a store holds, "" for nothing.
func value(t *testing.T, client dapr.Client, store, key string) string {
	t.Helper()
	return string(must[*dapr.StateItem](t)(client.GetState(patient(t), store, key, nil)).Value)
}

func etag(t *testing.T, client dapr.Client, store, key string) string {
	t.Helper()
	return must[*dapr.StateItem](t)(client.GetState(patient(t), store, key, nil)).Etag
}

func saveReadDelete(t *testing.T, client dapr.Client, store string) {
	ctx := patient(t)
	equal(t, "before", value(t, client, store, "a"), "")
	check(t, client.SaveState(ctx, store, "a", []byte("one"), nil))
	check(t, client.SaveState(ctx, store, "a", []byte("\x00\xfftwo"), nil))
	equal(t, "after", value(t, client, store, "a"), "\x00\xfftwo")
	check(t, client.DeleteState(ctx, store, "a", nil))
	equal(t, "in the end", value(t, client, store, "a"), "")
}

func bulk(t *testing.T, client dapr.Client, store string) {
	ctx := patient(t)
	var items []*dapr.SetStateItem
	keys := []string{"none"}
	for n := range 3 {
		key := fmt.Sprintf("bulk-%d", n)
		keys = append(keys, key)
		items = append(items, &dapr.SetStateItem{Key: key, Value: []byte(fmt.Sprint(n))})
	}
	check(t, client.SaveBulkState(ctx, store, items...))
	found := must[[]*dapr.BulkStateItem](t)(client.GetBulkState(ctx, store, keys, nil, 2))
	values := map[string]string{}
	for _, item := range found {
		equal(t, "error of "+item.Key, item.Error, "")
		values[item.Key] = string(item.Value)
	}
	want := map[string]string{"none": "", "bulk-0": "0", "bulk-1": "1", "bulk-2": "2"}
	equal(t, "values", fmt.Sprint(values), fmt.Sprint(want))

	check(t, client.DeleteBulkState(ctx, store, keys[1:], nil))
	equal(t, "after the deletion", value(t, client, store, "bulk-1"), "")
}

func etags(t *testing.T, client dapr.Client, store string) {
	ctx := patient(t)
	first := dapr.WithConcurrency(dapr.StateConcurrencyFirstWrite)
	check(t, client.SaveState(ctx, store, "tagged", []byte("one"), nil))
	old := etag(t, client, store, "tagged")
	check(t, client.SaveStateWithETag(ctx, store, "tagged", []byte("two"), old, nil, first))
	err := client.SaveStateWithETag(ctx, store, "tagged", []byte("three"), old, nil, first)
	equal(t, "code of the write", status.Code(err), codes.Aborted)
	err = client.DeleteStateWithETag(ctx, store, "tagged", &dapr.ETag{Value: old}, nil, firstWrite)
	equal(t, "code of the deletion", status.Code(err), codes.Aborted)
	equal(t, "value", value(t, client, store, "tagged"), "two")
	now := &dapr.ETag{Value: etag(t, client, store, "tagged")}
	check(t, client.DeleteStateWithETag(ctx, store, "tagged", now, nil, firstWrite))
	equal(t, "in the end", value(t, client, store, "tagged"), "")
}

func transaction(t *testing.T, client dapr.Client, store string) {
	ctx := patient(t)
	upsert := func(key, value string, tag *dapr.ETag) *dapr.StateOperation {
		item := &dapr.SetStateItem{Key: key, Value: []byte(value), Etag: tag, Options: firstWrite}
		if tag == nil {
			item.Options = nil
		}
		return &dapr.StateOperation{Type: dapr.StateOperationTypeUpsert, Item: item}
	}
	check(t, client.SaveState(ctx, store, "old", []byte("value"), nil))
	remove := &dapr.StateOperation{Type: dapr.StateOperationTypeDelete, Item: &dapr.SetStateItem{Key: "old"}}
	operations := []*dapr.StateOperation{upsert("t1", "one", nil), upsert("t2", "two", nil), remove}
	check(t, client.ExecuteStateTransaction(ctx, store, nil, operations))
	equal(t, "t1", value(t, client, store, "t1"), "one")
	equal(t, "old", value(t, client, store, "old"), "")

	stale := &dapr.ETag{Value: etag(t, client, store, "t1")}
	check(t, client.SaveState(ctx, store, "t1", []byte("newer"), nil))
	operations = []*dapr.StateOperation{upsert("t2", "changed", nil), upsert("t1", "changed", stale)}
	if client.ExecuteStateTransaction(ctx, store, nil, operations) == nil {
		t.Fatal("a transaction with an old ETag was not refused")
	}
	equal(t, "t2", value(t, client, store, "t2"), "two")
}

func timeToLive(t *testing.T, client dapr.Client, store string) {
	check(t, client.SaveState(patient(t), store, "short", []byte("lived"), map[string]string{"ttlInSeconds": "1"}))
	equal(t, "at once", value(t, client, store, "short"), "lived")
	eventually(t, "the value expires", func() bool { return value(t, client, store, "short") == "" })
}
