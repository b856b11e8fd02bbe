package sdk

// The apps beside the sidecars: the same methods and topics on the SDK's HTTP service and on its gRPC service.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/dapr/go-sdk/service/common"
	daprgrpc "github.com/dapr/go-sdk/service/grpc"
	daprhttp "github.com/dapr/go-sdk/service/http"
	"google.golang.org/grpc/metadata"
)

// inbox keeps what an app was delivered, by the name of the handler.
type inbox struct {
	lock     sync.Mutex
	received map[string][]common.TopicEvent
}

// put keeps an event and returns how many of name there were before it.
func (b *inbox) put(name string, event *common.TopicEvent) int {
	b.lock.Lock()
	defer b.lock.Unlock()
	if b.received == nil {
		b.received = map[string][]common.TopicEvent{}
	}
	before := len(b.received[name])
	b.received[name] = append(b.received[name], *event)
	return before
}

func (b *inbox) get(name string) []common.TopicEvent {
	b.lock.Lock()
	defer b.lock.Unlock()
	return b.received[name]
}

// waitFor returns the events of name once there are count.
func (b *inbox) waitFor(t *testing.T, name string, count int) []common.TopicEvent {
	t.Helper()
	eventually(t, fmt.Sprintf("%d events of %s", count, name), func() bool { return len(b.get(name)) >= count })
	return b.get(name)
}

// running is an app with its sidecar.
type running struct {
	*sidecar
	inbox *inbox
}

// startApp serves over protocol, and starts a sidecar beside it.
func startApp(t *testing.T, appID, protocol string) running {
	t.Helper()
	port := freePort(t)
	address := fmt.Sprintf("127.0.0.1:%d", port)
	service := daprhttp.NewService(address)
	if protocol == "grpc" {
		service = must[common.Service](t)(daprgrpc.NewService(address))
	}
	inbox := &inbox{}
	check(t, service.AddServiceInvocationHandler("/echo", echo))
	check(t, service.AddServiceInvocationHandler("/fail", fail))
	addTopics(t, service, inbox)

	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = service.Start()
	}()
	t.Cleanup(func() {
		_ = service.Stop()
		<-ended
	})
	return running{startSidecar(t, appID, app{port, protocol}), inbox}
}

// seen is what echo tells of its call.
type seen struct {
	Verb, Query, Body, Type, Caller string
}

func echo(ctx context.Context, in *common.InvocationEvent) (*common.Content, error) {
	headers, _ := metadata.FromIncomingContext(ctx)
	caller := append(headers.Get("dapr-caller-app-id"), "")
	told := seen{in.Verb, in.QueryString, string(in.Data), in.ContentType, caller[0]}
	text, err := json.Marshal(told)
	return &common.Content{Data: text, ContentType: "application/json"}, err
}

func fail(context.Context, *common.InvocationEvent) (*common.Content, error) {
	return nil, errors.New("no tea here")
}

func addTopics(t *testing.T, service common.Service, inbox *inbox) {
	t.Helper()
	keep := func(name string) common.TopicEventHandler {
		return func(_ context.Context, event *common.TopicEvent) (bool, error) {
			inbox.put(name, event)
			return false, nil
		}
	}
	// An error without a retry is the SDK's DROP, with one its RETRY.
	refuse := func(name string, retry bool) common.TopicEventHandler {
		return func(_ context.Context, event *common.TopicEvent) (bool, error) {
			inbox.put(name, event)
			return retry, errors.New("refused")
		}
	}
	retryOnce := func(_ context.Context, event *common.TopicEvent) (bool, error) {
		if inbox.put("retried", event) == 0 {
			return true, errors.New("not yet")
		}
		return false, nil
	}
	add := func(subscription common.Subscription, handler common.TopicEventHandler) {
		t.Helper()
		check(t, service.AddTopicEventHandler(&subscription, handler))
	}
	add(common.Subscription{PubsubName: "pubsub", Topic: "orders", Route: "/orders"}, keep("orders"))
	add(common.Subscription{PubsubName: "pubsub", Topic: "dropped", Route: "/dropped"}, refuse("dropped", false))
	add(common.Subscription{PubsubName: "broker", Topic: "retried", Route: "/retried"}, retryOnce)
	add(common.Subscription{
		PubsubName: "pubsub", Topic: "poison", Route: "/poison", DeadLetterTopic: "poison-dead",
	}, refuse("poison", true))
	add(common.Subscription{PubsubName: "pubsub", Topic: "poison-dead", Route: "/poison-dead"}, keep("poison-dead"))
	add(common.Subscription{
		PubsubName: "pubsub", Topic: "animals", Route: "/cats", Match: `event.type == "cat"`, Priority: 1,
	}, keep("cats"))
	add(common.Subscription{PubsubName: "pubsub", Topic: "animals", Route: "/others"}, keep("others"))
}
