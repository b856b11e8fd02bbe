package sdk

// What the tests are made of: sidecars as processes, their resources, ports, and waiting for a condition.
//
// The program under test is named by the environment variable OUTRIGGER_BIN.

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	dapr "github.com/dapr/go-sdk/client"
)

const (
	// Ports below the range from which the kernel takes those of outgoing connections, so that none is lost to one.
	portMin, portMax = 12000, 32000
	// A sidecar in a debug build on a busy machine is up in less than a second.
	readyTime = 20 * time.Second
	// The orderly end may take the graceful seconds that the sidecar is given, and a little.
	stopTime = 10 * time.Second
	// How long tests wait for something that happens in milliseconds on an idle machine.
	patience = 15 * time.Second
)

// The resources and secrets that all SDKs' tests share; FOLDER is a folder of the sidecar's own.
const (
	resourcesFile = "../resources.yaml"
	secretsFile   = "../secrets.json"
)

// runFolder is where the sidecars of this run tell each other where they are.
var runFolder string

func TestMain(m *testing.M) {
	// The SDK logs each client that it makes.
	dapr.SetLogger(log.New(io.Discard, "", 0))
	os.Exit(inRunFolder(m.Run))
}

func inRunFolder(run func() int) int {
	folder, err := os.MkdirTemp("", "outrigger-sdk-go-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "no temporary folder:", err)
		return 1
	}
	defer os.RemoveAll(folder)
	runFolder = folder
	return run()
}

// sidecar is a process with resources of its own. It ends with the test.
type sidecar struct {
	appID              string
	httpPort, grpcPort int
	cmd                *exec.Cmd
	logged             safeBuffer
	ended              chan struct{}
}

// app tells where and how the app beside a sidecar listens; the zero value is no app.
type app struct {
	port     int
	protocol string
}

func startSidecar(t *testing.T, appID string, beside app) *sidecar {
	t.Helper()
	folder := t.TempDir()
	s := &sidecar{appID: appID, httpPort: freePort(t), grpcPort: freePort(t), ended: make(chan struct{})}
	args := []string{
		"sidecar",
		"--app-id", appID,
		"--dapr-http-port", fmt.Sprint(s.httpPort),
		"--dapr-grpc-port", fmt.Sprint(s.grpcPort),
		"--dapr-internal-grpc-port", fmt.Sprint(freePort(t)),
		"--dapr-graceful-shutdown-seconds", "2",
		"--enable-metrics=false",
		"--resources-path", writeResources(t, folder),
	}
	if beside.port != 0 {
		args = append(args, "--app-port", fmt.Sprint(beside.port), "--app-protocol", beside.protocol)
	}
	s.cmd = exec.Command(program(t), args...)
	s.cmd.Env = append(os.Environ(),
		"OUTRIGGER_RUN_DIR="+runFolder, "OUTRIGGER_MULTICAST=off", "OUTRIGGER_HOME="+folder)
	s.cmd.Stdout, s.cmd.Stderr = &s.logged, &s.logged
	if err := s.cmd.Start(); err != nil {
		t.Fatalf("sidecar %s does not start: %v", appID, err)
	}
	go func() {
		_ = s.cmd.Wait()
		close(s.ended)
	}()
	t.Cleanup(func() { s.stop(t) })
	s.waitUntilReady(t)
	return s
}

func (s *sidecar) waitUntilReady(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(readyTime)
	for s.status("/v1.0/healthz") != http.StatusNoContent {
		if s.hasEnded() || time.Now().After(deadline) {
			t.Fatalf("sidecar %s is not ready (%v)", s.appID, s.cmd.ProcessState)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// status is that of a GET, or 0 when nobody answers.
func (s *sidecar) status(path string) int {
	answer, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d%s", s.httpPort, path))
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	return answer.StatusCode
}

func (s *sidecar) hasEnded() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// stop ends the process, in an orderly way when it still can, and shows its log when the test failed.
func (s *sidecar) stop(t *testing.T) {
	if !s.hasEnded() {
		_ = s.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-s.ended:
		case <-time.After(stopTime):
			t.Errorf("sidecar %s did not end after SIGTERM", s.appID)
			_ = s.cmd.Process.Kill()
			<-s.ended
		}
	}
	if t.Failed() {
		t.Logf("log of sidecar %s:\n%s", s.appID, s.logged.String())
	}
}

// client is the SDK's client of this sidecar.
func (s *sidecar) client(t *testing.T) dapr.Client {
	t.Helper()
	client, err := dapr.NewClientWithPort(fmt.Sprint(s.grpcPort))
	if err != nil {
		t.Fatalf("no client of sidecar %s: %v", s.appID, err)
	}
	t.Cleanup(client.Close)
	return client
}

func writeResources(t *testing.T, folder string) string {
	t.Helper()
	path := filepath.Join(folder, "resources")
	check(t, os.Mkdir(path, 0o755))
	for from, to := range map[string]string{
		resourcesFile: filepath.Join(path, "all.yaml"),
		secretsFile:   filepath.Join(folder, "secrets.json"),
	} {
		text := must[[]byte](t)(os.ReadFile(from))
		check(t, os.WriteFile(to, bytes.ReplaceAll(text, []byte("FOLDER"), []byte(folder)), 0o600))
	}
	return path
}

// program is the one under test.
func program(t *testing.T) string {
	t.Helper()
	path := os.Getenv("OUTRIGGER_BIN")
	if path == "" {
		t.Fatal("OUTRIGGER_BIN is not set: it names the outrigger program that these tests start")
	}
	return path
}

// freePort is one that nothing listens on.
func freePort(t *testing.T) int {
	t.Helper()
	for range 200 {
		port := portMin + rand.IntN(portMax-portMin)
		if probe, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			probe.Close()
			return port
		}
	}
	t.Fatal("no free port found")
	return 0
}

// eventually waits until condition is true.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// patient is a context for a call that must not hang.
func patient(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func must[T any](t *testing.T) func(value T, err error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

// safeBuffer may be read while the process writes.
type safeBuffer struct {
	lock sync.Mutex
	text bytes.Buffer
}

func (b *safeBuffer) Write(more []byte) (int, error) {
	b.lock.Lock()
	defer b.lock.Unlock()
	return b.text.Write(more)
}

func (b *safeBuffer) String() string {
	b.lock.Lock()
	defer b.lock.Unlock()
	return b.text.String()
}
