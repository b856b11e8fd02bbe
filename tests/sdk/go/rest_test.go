package sdk

import (
	"fmt"
	"slices"
	"testing"

	dapr "github.com/dapr/go-sdk/client"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestSecretsAndMetadata(t *testing.T) {
	client := startSidecar(t, "go-rest", app{}).client(t)

	t.Run("secrets", func(t *testing.T) {
		one := must[map[string]string](t)(client.GetSecret(patient(t), "secrets", "password", nil))
		equal(t, "one", fmt.Sprint(one), fmt.Sprint(map[string]string{"password": "p1"}))
		all := must[map[string]map[string]string](t)(client.GetBulkSecret(patient(t), "secrets", nil))
		want := map[string]map[string]string{
			"password":    {"password": "p1"},
			"redis:user":  {"redis:user": "alice"},
			"redis:token": {"redis:token": "t1"},
		}
		equal(t, "all", fmt.Sprint(all), fmt.Sprint(want))
		_, err := client.GetSecret(patient(t), "secrets", "none", nil)
		equal(t, "a secret that is not there", status.Code(err), codes.Internal)
		_, err = client.GetSecret(patient(t), "nowhere", "password", nil)
		equal(t, "a store that is not there", status.Code(err), codes.InvalidArgument)
	})

	t.Run("metadata", func(t *testing.T) {
		check(t, client.SetMetadata(patient(t), "colour", "blue"))
		metadata := must[*dapr.GetMetadataResponse](t)(client.GetMetadata(patient(t)))
		equal(t, "id", metadata.ID, "go-rest")
		equal(t, "colour", metadata.ExtendedMetadata["colour"], "blue")
		components := map[string]*dapr.MetadataRegisteredComponents{}
		for _, component := range metadata.RegisteredComponents {
			components[component.Name] = component
		}
		for name, kind := range map[string]string{
			"statestore": "state.in-memory", "pubsub": "pubsub.in-memory", "secrets": "secretstores.local.file",
		} {
			if components[name] == nil || components[name].Type != kind {
				t.Fatalf("%s is %+v, want a %s", name, components[name], kind)
			}
		}
		for _, capability := range []string{"ETAG", "TRANSACTIONAL", "TTL"} {
			if !slices.Contains(components["sqlstore"].Capabilities, capability) {
				t.Fatalf("sqlstore lacks %s: %v", capability, components["sqlstore"].Capabilities)
			}
		}
	})

	t.Run("a client waits for the sidecar", func(t *testing.T) { check(t, client.Wait(patient(t), patience)) })
}

func TestShutdown(t *testing.T) {
	sidecar := startSidecar(t, "go-end", app{})
	check(t, sidecar.client(t).Shutdown(patient(t)))
	eventually(t, "the sidecar ends", sidecar.hasEnded)
	equal(t, "exit code", sidecar.cmd.ProcessState.ExitCode(), 0)
}

func TestToken(t *testing.T) {
	t.Setenv("DAPR_API_TOKEN", "sesame")
	sidecar := startSidecar(t, "go-token", app{})
	// The SDK reads the token from the same variable.
	client := sidecar.client(t)
	check(t, client.SaveState(patient(t), "statestore", "a", []byte("1"), nil))
	client.WithAuthToken("wrong")
	_, err := client.GetState(patient(t), "statestore", "a", nil)
	equal(t, "code", status.Code(err), codes.Unauthenticated)
}
