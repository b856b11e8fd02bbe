package sdk

import (
	"encoding/json"
	"strings"
	"testing"

	dapr "github.com/dapr/go-sdk/client"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestInvoke(t *testing.T) {
	startApp(t, "go-http", "http")
	startApp(t, "go-grpc", "grpc")
	client := startSidecar(t, "go-caller", app{}).client(t)
	for _, target := range []string{"go-http", "go-grpc"} {
		t.Run(target, func(t *testing.T) {
			t.Run("with content", func(t *testing.T) { withContent(t, client, target) })
			t.Run("without content", func(t *testing.T) {
				told := tell(t)(client.InvokeMethod(patient(t), target, "echo?q=1", "get"))
				equal(t, "told", told, seen{Verb: "GET", Query: "q=1", Caller: "go-caller", Type: told.Type})
			})
			t.Run("an error of the app's own", func(t *testing.T) {
				_, err := client.InvokeMethod(patient(t), target, "fail", "post")
				if err == nil || !strings.Contains(err.Error(), "no tea here") && target == "go-grpc" {
					t.Fatalf("got %v", err)
				}
			})
		})
	}
	t.Run("the status of an HTTP app's error", func(t *testing.T) {
		_, err := client.InvokeMethod(patient(t), "go-http", "fail", "post")
		equal(t, "500", status.Code(err), codes.Unknown)
		_, err = client.InvokeMethod(patient(t), "go-http", "no-such-method", "post")
		equal(t, "404", status.Code(err), codes.NotFound)
	})
	t.Run("an app that is not there", func(t *testing.T) {
		_, err := client.InvokeMethod(patient(t), "nobody", "echo", "post")
		if code := status.Code(err); code != codes.Internal && code != codes.Unavailable {
			t.Fatalf("got %v", err)
		}
	})
}

func withContent(t *testing.T, client dapr.Client, target string) {
	for _, verb := range []string{"POST", "PUT", "DELETE"} {
		content := &dapr.DataContent{Data: []byte("hello"), ContentType: "text/plain"}
		told := tell(t)(client.InvokeMethodWithContent(patient(t), target, "echo?q=1", verb, content))
		equal(t, "told", told, seen{verb, "q=1", "hello", "text/plain", "go-caller"})
	}
	told := tell(t)(client.InvokeMethodWithCustomContent(
		patient(t), target, "echo", "post", "application/json", map[string]int{"n": 1}))
	equal(t, "body", told.Body, `{"n":1}`)
}

// tell reads what echo answered.
func tell(t *testing.T) func(answer []byte, err error) seen {
	return func(answer []byte, err error) seen {
		t.Helper()
		check(t, err)
		var told seen
		check(t, json.Unmarshal(answer, &told))
		return told
	}
}
