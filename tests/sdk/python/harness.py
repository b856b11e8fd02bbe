"""What the tests are made of: sidecars as processes, their resources, ports, and waiting for a condition.

The program under test is named by the environment variable OUTRIGGER_BIN.
"""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from dapr.clients import DaprClient
from dapr.conf import settings

# Ports below the range from which the kernel takes those of outgoing connections, so that none is lost to one.
PORT_RANGE = range(12000, 32000)
# A sidecar in a debug build on a busy machine is up in less than a second.
READY_SECONDS = 20
# The orderly end may take the graceful seconds that the sidecar is given, and a little.
STOP_SECONDS = 10
# How long tests wait for something that happens in milliseconds on an idle machine.
PATIENCE_SECONDS = 15

# The resources and secrets that all SDKs' tests share.
SHARED = Path(__file__).parent.parent


def program():
    """The program under test."""
    path = os.environ.get("OUTRIGGER_BIN")
    if not path:
        raise RuntimeError("OUTRIGGER_BIN is not set: it names the outrigger program that these tests start")
    if not os.access(path, os.X_OK):
        raise RuntimeError(f"OUTRIGGER_BIN names {path}, which is no program")
    return path


def free_port():
    """A port that nothing listens on."""
    for port in random.sample(PORT_RANGE, 200):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no free port found")


def eventually(condition, what):
    """Waits until `condition` gives something true, and returns that."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {PATIENCE_SECONDS} s: {what}"
        time.sleep(0.01)


class Sidecar:
    """A sidecar process with resources of its own."""

    running = []

    def __init__(self, folder, run_folder, app_id, app_port=None, app_protocol=None, environment=None):
        self.app_id = app_id
        self.http_port, self.grpc_port = free_port(), free_port()
        self.log = Path(folder) / "sidecar.log"
        arguments = [
            program(), "sidecar",
            "--app-id", app_id,
            "--dapr-http-port", str(self.http_port),
            "--dapr-grpc-port", str(self.grpc_port),
            "--dapr-internal-grpc-port", str(free_port()),
            "--dapr-graceful-shutdown-seconds", "2",
            "--enable-metrics=false",
            "--resources-path", str(resources_in(Path(folder))),
        ]  # fmt: skip
        if app_port is not None:
            arguments += ["--app-port", str(app_port), "--app-protocol", app_protocol]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Found by each other, and by no sidecar of anyone else.
                env={
                    **os.environ,
                    "OUTRIGGER_RUN_DIR": str(run_folder),
                    "OUTRIGGER_MULTICAST": "off",
                    "OUTRIGGER_HOME": str(folder),
                    **(environment or {}),
                },
            )
        Sidecar.running.append(self)
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def _wait_until_ready(self):
        deadline = time.monotonic() + READY_SECONDS
        while self.status_of("/v1.0/healthz") != 204:
            exit_code = self.process.poll()
            if exit_code is not None or time.monotonic() > deadline:
                state = "is not ready" if exit_code is None else f"ended with code {exit_code}"
                raise RuntimeError(f"sidecar {self.app_id} {state}:\n{self.logs()}")
            time.sleep(0.02)

    def status_of(self, path):
        """The status of a GET, or None when nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}{path}", timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None

    def metadata(self):
        """The metadata that the sidecar tells over HTTP."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}/v1.0/metadata", timeout=5) as answer:
            return json.load(answer)

    def logs(self, since=0):
        """What the sidecar logged from the byte `since` on."""
        return self.log.read_bytes()[since:].decode(errors="replace")

    def stop(self):
        """Ends the process, in an orderly way when it still can."""
        if self in Sidecar.running:
            Sidecar.running.remove(self)
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise RuntimeError(f"sidecar {self.app_id} did not end after SIGTERM:\n{self.logs()}") from None


def resources_in(folder):
    """Writes the resources and the secrets, and returns the resources' folder."""
    resources = folder / "resources"
    resources.mkdir(parents=True)
    text = (SHARED / "resources.yaml").read_text()
    (resources / "all.yaml").write_text(text.replace("FOLDER", str(folder)))
    shutil.copy(SHARED / "secrets.json", folder)
    return resources


@contextmanager
def client_of(sidecar, invocation="http", token=None):
    """The SDK's client for `sidecar`, which the SDK finds by its global settings."""
    changed = {
        "DAPR_HTTP_PORT": sidecar.http_port,
        "DAPR_GRPC_PORT": sidecar.grpc_port,
        "DAPR_API_METHOD_INVOCATION_PROTOCOL": invocation,
        "DAPR_API_TOKEN": token,
        "DAPR_HEALTH_TIMEOUT": READY_SECONDS,
        "DAPR_API_TIMEOUT_SECONDS": PATIENCE_SECONDS,
    }
    before = {name: getattr(settings, name) for name in changed}
    for name, value in changed.items():
        setattr(settings, name, value)
    try:
        with DaprClient() as client:
            yield client
    finally:
        for name, value in before.items():
            setattr(settings, name, value)
