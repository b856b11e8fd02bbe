"""The apps beside the sidecars: one over HTTP (Flask and the SDK's extension), one over gRPC (the SDK's own server)."""

import threading
from collections import defaultdict

import grpc
from dapr.clients.grpc._response import InvokeMethodResponse, TopicEventResponse
from dapr.ext.flask import DaprApp
from dapr.ext.grpc import App, InvokeMethodRequest, Rule, SubscriptionMessage
from flask import Flask, Response, jsonify, request
from werkzeug.serving import make_server

import harness


class Inbox:
    """What an app was delivered, by the name of the handler."""

    def __init__(self):
        self._lock = threading.Lock()
        self._received = defaultdict(list)

    def put(self, name, event):
        """Keeps an event; returns how many of `name` there were before it."""
        with self._lock:
            self._received[name].append(event)
            return len(self._received[name]) - 1

    def get(self, name):
        with self._lock:
            return list(self._received[name])

    def wait_for(self, name, count=1):
        """The events of `name` once there are `count`."""
        harness.eventually(lambda: len(self.get(name)) >= count, f"{count} events of {name}, have {self.get(name)}")
        return self.get(name)


class HttpApp:
    """Serves on a free port from a thread."""

    def __init__(self):
        self.inbox = Inbox()
        self.port = harness.free_port()
        app = Flask("py-http")
        self._add_methods(app)
        self._add_topics(app)
        self._server = make_server("127.0.0.1", self.port, app, threaded=True)

    def __enter__(self):
        self._thread = threading.Thread(target=self._server.serve_forever, name="http-app")
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()

    @staticmethod
    def _add_methods(app):
        @app.route("/echo/<path:rest>", methods=["GET", "POST", "PUT", "DELETE"])
        @app.route("/echo", methods=["GET", "POST", "PUT", "DELETE"])
        def echo(rest=""):
            seen = {
                "verb": request.method,
                "rest": rest,
                "query": request.query_string.decode(),
                "body": request.get_data(as_text=True),
                "type": request.content_type,
                "custom": request.headers.get("x-custom"),
                "caller": request.headers.get("dapr-caller-app-id"),
            }
            return jsonify(seen), 200, {"x-answer": "yes"}

        @app.route("/fail", methods=["GET", "POST"])
        def fail():
            return Response("no tea here", status=418, content_type="text/plain")

    def _add_topics(self, app):
        dapr, inbox = DaprApp(app), self.inbox

        @dapr.subscribe(pubsub="pubsub", topic="orders", route="/on-orders")
        def orders():
            inbox.put("orders", request.get_json(force=True))
            return jsonify(status="SUCCESS")

        @dapr.subscribe(pubsub="pubsub", topic="raw", route="/on-raw", metadata={"rawPayload": "true"})
        def raw():
            inbox.put("raw", request.get_json(force=True))
            return jsonify(status="SUCCESS")

        @dapr.subscribe(pubsub="pubsub", topic="dropped", route="/on-dropped")
        def dropped():
            inbox.put("dropped", request.get_json(force=True))
            return jsonify(status="DROP")

        @dapr.subscribe(pubsub="broker", topic="retried", route="/on-retried")
        def retried():
            before = inbox.put("retried", request.get_json(force=True))
            return jsonify(status="RETRY" if before == 0 else "SUCCESS")

        @dapr.subscribe(pubsub="pubsub", topic="poison", route="/on-poison", dead_letter_topic="poison-dead")
        def poison():
            inbox.put("poison", request.get_json(force=True))
            return Response("cannot", status=500)

        @dapr.subscribe(pubsub="pubsub", topic="poison-dead", route="/on-poison-dead")
        def poison_dead():
            inbox.put("poison-dead", request.get_json(force=True))
            return jsonify(status="SUCCESS")


class Doubler(grpc.GenericRpcHandler):
    """A gRPC service of the app's own, which callers reach through their sidecars: `demo.Doubler/Double`, bytes."""

    def service(self, details):
        handlers = {
            "/demo.Doubler/Double": grpc.unary_unary_rpc_method_handler(lambda data, _: data + data),
            "/demo.Doubler/Each": grpc.stream_stream_rpc_method_handler(lambda each, _: (part + part for part in each)),
            "/demo.Doubler/Refuse": grpc.unary_unary_rpc_method_handler(self._refuse),
        }
        return handlers.get(details.method)

    @staticmethod
    def _refuse(_, context):
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not today")


class GrpcApp:
    """Serves on a free port; the SDK's server has threads of its own."""

    def __init__(self):
        self.inbox = Inbox()
        self.port = harness.free_port()
        self._app = App()
        self._add_methods(self._app)
        self._add_topics(self._app)
        self._app.add_external_service(lambda handler, server: server.add_generic_rpc_handlers((handler,)), Doubler())

    def __enter__(self):
        self._thread = threading.Thread(target=self._app.run, args=(self.port, "127.0.0.1"), name="grpc-app")
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._app.stop()
        self._thread.join()

    @staticmethod
    def _add_methods(app):
        @app.method("echo")
        def echo(request: InvokeMethodRequest):
            answer = InvokeMethodResponse(b"<" + request.data + b">", request.content_type)
            answer.headers = (("x-answer", "yes"), ("x-caller", request.metadata.get("dapr-caller-app-id", [""])[0]))
            return answer

    def _add_topics(self, app):
        inbox = self.inbox

        def keep(name):
            def handler(event: SubscriptionMessage):
                inbox.put(name, event)

            return handler

        for topic in ("orders", "poison-dead"):
            app.subscribe("pubsub", topic)(keep(topic))

        @app.subscribe("pubsub", "dropped")
        def dropped(event: SubscriptionMessage):
            inbox.put("dropped", event)
            return TopicEventResponse("drop")

        @app.subscribe("broker", "retried")
        def retried(event: SubscriptionMessage):
            before = inbox.put("retried", event)
            return TopicEventResponse("retry" if before == 0 else "success")

        @app.subscribe("pubsub", "poison", dead_letter_topic="poison-dead")
        def poison(event: SubscriptionMessage):
            inbox.put("poison", event)
            return TopicEventResponse("retry")

        @app.subscribe("pubsub", "animals", rule=Rule('event.type == "cat"', 1))
        def cats(event: SubscriptionMessage):
            inbox.put("cats", event)

        @app.subscribe("pubsub", "animals", rule=Rule('event.type.startsWith("c")', 2))
        def other_c_animals(event: SubscriptionMessage):
            inbox.put("other_c_animals", event)
