package sdk

import (
	"context"
	"fmt"
	"testing"
	"time"

	dapr "github.com/dapr/go-sdk/client"
	"github.com/dapr/go-sdk/service/common"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

var plain = dapr.PublishEventWithContentType("text/plain")

func TestDelivery(t *testing.T) {
	for _, protocol := range []string{"http", "grpc"} {
		t.Run(protocol, func(t *testing.T) {
			app := startApp(t, "go-events-"+protocol, protocol)
			client := app.client(t)
			t.Run("events", func(t *testing.T) { events(t, app, client) })
			t.Run("many at once", func(t *testing.T) { manyEvents(t, app, client) })
			t.Run("a dropped message is gone", func(t *testing.T) {
				for _, text := range []string{"one", "two"} {
					check(t, client.PublishEvent(patient(t), "pubsub", "dropped", text, plain))
				}
				received := app.inbox.waitFor(t, "dropped", 2)
				equal(t, "messages", fmt.Sprintf("%v %v %d", received[0].Data, received[1].Data, len(received)), "one two 2")
			})
			t.Run("a retried message comes again", func(t *testing.T) {
				check(t, client.PublishEvent(patient(t), "broker", "retried", "again", plain))
				received := app.inbox.waitFor(t, "retried", 2)
				equal(t, "data", received[1].Data, any("again"))
				equal(t, "id", received[1].ID, received[0].ID)
			})
			t.Run("a message that keeps failing goes to the dead letters", func(t *testing.T) {
				check(t, client.PublishEvent(patient(t), "pubsub", "poison", "bad", plain))
				dead := app.inbox.waitFor(t, "poison-dead", 1)[0]
				poison := app.inbox.get("poison")
				equal(t, "deliveries", len(poison), 1)
				equal(t, "data", dead.Data, any("bad"))
				equal(t, "id", dead.ID, poison[0].ID)
			})
			t.Run("rules choose the handler", func(t *testing.T) { rules(t, app, client) })
		})
	}
}

func events(t *testing.T, app running, client dapr.Client) {
	check(t, client.PublishEvent(patient(t), "pubsub", "orders", map[string]any{"id": 7}))
	event := app.inbox.waitFor(t, "orders", 1)[0]
	equal(t, "data", string(event.RawData), `{"id":7}`)
	equal(t, "content type", event.DataContentType, "application/json")
	equal(t, "source", event.Source, app.appID)
	equal(t, "type", event.Type, "com.dapr.event.sent")
	equal(t, "version", event.SpecVersion, "1.0")
	equal(t, "place", event.PubsubName+"/"+event.Topic, "pubsub/orders")
}

func manyEvents(t *testing.T, app running, client dapr.Client) {
	before := len(app.inbox.get("orders"))
	answer := client.PublishEvents(patient(t), "pubsub", "orders", []any{"a", "b", "c"})
	check(t, answer.Error)
	seen := map[any]int{}
	for _, event := range app.inbox.waitFor(t, "orders", before+3)[before:] {
		seen[event.Data]++
	}
	equal(t, "events", fmt.Sprint(seen), fmt.Sprint(map[any]int{"a": 1, "b": 1, "c": 1}))
}

func rules(t *testing.T, app running, client dapr.Client) {
	for _, kind := range []string{"cat", "dog"} {
		ofKind := dapr.PublishEventWithMetadata(map[string]string{"cloudevent.type": kind})
		check(t, client.PublishEvent(patient(t), "pubsub", "animals", kind, plain, ofKind))
	}
	equal(t, "cats", app.inbox.waitFor(t, "cats", 1)[0].Data, any("cat"))
	equal(t, "others", app.inbox.waitFor(t, "others", 1)[0].Data, any("dog"))
}

func TestStreams(t *testing.T) {
	sidecar := startSidecar(t, "go-streams", app{})
	client := sidecar.client(t)

	t.Run("read and answered", func(t *testing.T) {
		subscription := subscribe(t, client, "pubsub", "streamed")
		for n := range 3 {
			check(t, client.PublishEvent(patient(t), "pubsub", "streamed", map[string]int{"n": n}))
			message := receive(t, subscription)
			equal(t, "data", string(message.RawData), fmt.Sprintf(`{"n":%d}`, n))
			check(t, message.Success())
		}
	})
	t.Run("retry and drop", func(t *testing.T) {
		subscription := subscribe(t, client, "broker", "streamed-again")
		check(t, client.PublishEvent(patient(t), "broker", "streamed-again", "retry me", plain))
		first := receive(t, subscription)
		check(t, first.Retry())
		second := receive(t, subscription)
		equal(t, "id", second.ID, first.ID)
		check(t, second.Drop())
		check(t, client.PublishEvent(patient(t), "broker", "streamed-again", "next", plain))
		third := receive(t, subscription)
		equal(t, "next", third.Data, any("next"))
		check(t, third.Success())
	})
	t.Run("handlers and dead letters", func(t *testing.T) { handlers(t, client) })
	t.Run("a closed stream is gone", func(t *testing.T) {
		subscription := subscribe(t, client, "pubsub", "closed")
		isListed := func() bool {
			metadata := must[*dapr.GetMetadataResponse](t)(client.GetMetadata(patient(t)))
			for _, one := range metadata.Subscriptions {
				if one.Topic == "closed" {
					return true
				}
			}
			return false
		}
		eventually(t, "the stream is listed", isListed)
		check(t, subscription.Close())
		eventually(t, "the stream is gone from the list", func() bool { return !isListed() })
	})
	t.Run("a broker that is not there", func(t *testing.T) {
		err := client.PublishEvent(patient(t), "nowhere", "orders", "x")
		equal(t, "code of the publish", status.Code(err), codes.InvalidArgument)
		_, err = client.Subscribe(patient(t), dapr.SubscriptionOptions{PubsubName: "nowhere", Topic: "orders"})
		if err == nil {
			t.Fatal("a stream of a broker that is not there was opened")
		}
	})
}

func handlers(t *testing.T, client dapr.Client) {
	received := &inbox{}
	answer := func(name string, status common.SubscriptionResponseStatus) dapr.SubscriptionHandleFunction {
		return func(event *common.TopicEvent) common.SubscriptionResponseStatus {
			received.put(name, event)
			return status
		}
	}
	dead := "stream-dead"
	for _, one := range []struct {
		options dapr.SubscriptionOptions
		handler dapr.SubscriptionHandleFunction
	}{
		{dapr.SubscriptionOptions{PubsubName: "pubsub", Topic: dead}, answer("dead", common.SubscriptionResponseStatusSuccess)},
		{
			dapr.SubscriptionOptions{PubsubName: "pubsub", Topic: "stream-poison", DeadLetterTopic: &dead},
			answer("poison", common.SubscriptionResponseStatusDrop),
		},
	} {
		ctx, cancel := context.WithCancel(context.Background())
		stop := must[func() error](t)(client.SubscribeWithHandler(ctx, one.options, one.handler))
		t.Cleanup(func() {
			_ = stop()
			cancel()
		})
	}
	check(t, client.PublishEvent(patient(t), "pubsub", "stream-poison", "bad", plain))
	equal(t, "dead letter", received.waitFor(t, "dead", 1)[0].Data, any("bad"))
	equal(t, "deliveries", len(received.get("poison")), 1)
}

func subscribe(t *testing.T, client dapr.Client, pubsub, topic string) *dapr.Subscription {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	return must[*dapr.Subscription](t)(client.Subscribe(ctx, dapr.SubscriptionOptions{PubsubName: pubsub, Topic: topic}))
}

// receive waits for a message, but not for ever.
func receive(t *testing.T, subscription *dapr.Subscription) *dapr.SubscriptionMessage {
	t.Helper()
	type result struct {
		message *dapr.SubscriptionMessage
		err     error
	}
	arrived := make(chan result, 1)
	go func() {
		message, err := subscription.Receive()
		arrived <- result{message, err}
	}()
	select {
	case got := <-arrived:
		check(t, got.err)
		return got.message
	case <-time.After(patience):
		t.Fatalf("no message within %v", patience)
		return nil
	}
}
