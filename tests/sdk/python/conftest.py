"""Sidecars and apps that tests share, and the sidecars' logs beside what failed."""

import pytest

import apps
import harness


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    """Remembers where each sidecar's log ends when a test begins."""
    item.log_marks = {sidecar: len(sidecar.log.read_bytes()) for sidecar in harness.Sidecar.running}
    yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """Adds what the sidecars logged during a test that failed."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for sidecar in harness.Sidecar.running:
            logged = sidecar.logs(item.log_marks.get(sidecar, 0))
            report.sections.append((f"log of sidecar {sidecar.app_id}", logged))


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory):
    """Where the sidecars of this run tell each other where they are."""
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="session")
def start(tmp_path_factory, run_folder):
    """Starts sidecars, which end with the session at the latest."""
    started = []

    def start_one(app_id, **options):
        sidecar = harness.Sidecar(tmp_path_factory.mktemp(app_id), run_folder, app_id, **options)
        started.append(sidecar)
        return sidecar

    yield start_one
    for sidecar in started:
        sidecar.stop()


@pytest.fixture(scope="session")
def lone(start):
    """A sidecar without an app: what clients alone need."""
    return start("py-lone")


@pytest.fixture(scope="session")
def http_app(start):
    """A Flask app with the SDK's extension, and its sidecar as `http_app.sidecar`."""
    with apps.HttpApp() as app:
        app.sidecar = start("py-http", app_port=app.port, app_protocol="http")
        yield app
        app.sidecar.stop()


@pytest.fixture(scope="session")
def grpc_app(start):
    """An app on the SDK's gRPC server, and its sidecar as `grpc_app.sidecar`."""
    with apps.GrpcApp() as app:
        app.sidecar = start("py-grpc", app_port=app.port, app_protocol="grpc")
        yield app
        app.sidecar.stop()


@pytest.fixture
def client(lone):
    """The SDK's client of the sidecar without an app."""
    with harness.client_of(lone) as client:
        yield client
