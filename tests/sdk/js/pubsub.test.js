// Publishing over HTTP and gRPC, and delivery to apps over HTTP and gRPC.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { startApp } from "./lib/app.js";
import { GRPC, HTTP, Mesh, nameOf } from "./lib/harness.js";

const mesh = new Mesh();
after(() => mesh.stop());
const watch = (body) => mesh.watch(body);

for (const protocol of [HTTP, GRPC]) {
  describe(`an app over ${nameOf(protocol)}`, () => {
    let app;
    let client;
    before(async () => {
      app = await startApp(mesh, `js-events-${nameOf(protocol)}`, protocol);
      client = app.sidecar.client(protocol);
    });
    after(() => app?.stop());
    const publish = async (broker, topic, data, options) => {
      // Over HTTP the SDK gives an error back, over gRPC it throws it.
      const { error } = await client.pubsub.publish(broker, topic, data, options);
      if (error) throw error;
    };

    test("events arrive with their data", watch(async () => {
      await publish("pubsub", "orders", { id: 7 });
      await publish("pubsub", "orders", "plain text");
      assert.deepEqual(await app.inbox.waitFor("orders", 2), [{ id: 7 }, "plain text"]);
    }));

    test("a cloud event of the app's own is passed on", watch(async () => {
      const seen = app.inbox.get("orders").length;
      const own = { specversion: "1.0", id: "own", source: "shop", type: "order.made", data: { own: true } };
      own.datacontenttype = "application/json";
      await publish("pubsub", "orders", own, { contentType: "application/cloudevents+json" });
      assert.deepEqual((await app.inbox.waitFor("orders", seen + 1))[seen], { own: true });
    }));

    test("many events are published at once", watch(async () => {
      const seen = app.inbox.get("orders").length;
      const { failedMessages } = await client.pubsub.publishBulk("pubsub", "orders", ["a", { b: 1 }]);
      assert.deepEqual(failedMessages, []);
      const received = (await app.inbox.waitFor("orders", seen + 2)).slice(seen);
      // In any order: Dapr publishes them side by side.
      assert.deepEqual(received.sort((one) => (one === "a" ? -1 : 1)), ["a", { b: 1 }]);
    }));

    const bulk = watch(async () => {
      await client.pubsub.publishBulk("pubsub", "bulk", [{ n: 0 }, { n: 1 }, { n: 2 }]);
      const received = await app.inbox.waitFor("bulk", 3);
      assert.deepEqual(received.map((event) => event.n).sort(), [0, 1, 2]);
    });
    // Over gRPC the SDK's server lacks the call that the runtime makes first, and answers it without a status.
    if (protocol === HTTP) test("a bulk subscription gets each event once", bulk);

    test("a message that is dropped is gone", watch(async () => {
      await publish("pubsub", "dropped", "one");
      await publish("pubsub", "dropped", "two");
      assert.deepEqual(await app.inbox.waitFor("dropped", 2), ["one", "two"]);
    }));

    test("a message that is retried comes again", watch(async () => {
      await publish("broker", "retried", "again");
      assert.deepEqual(await app.inbox.waitFor("retried", 2), ["again", "again"]);
    }));

    test("a message that keeps failing goes to the dead letters", watch(async () => {
      await publish("pubsub", "poison", { bad: true });
      assert.deepEqual(await app.inbox.waitFor("poison-dead"), [{ bad: true }]);
      assert.deepEqual(app.inbox.get("poison"), [{ bad: true }]);
    }));

    test("rules choose the handler", watch(async () => {
      await publish("pubsub", "animals", "a cat", { metadata: { "cloudevent.type": "cat" } });
      await publish("pubsub", "animals", "a dog", { metadata: { "cloudevent.type": "dog" } });
      assert.deepEqual(await app.inbox.waitFor("cats"), ["a cat"]);
      assert.deepEqual(await app.inbox.waitFor("others"), ["a dog"]);
    }));

    test("a broker that is not there is named", watch(async () => {
      const refused = publish("nowhere", "orders", "x");
      await assert.rejects(refused, (error) => /nowhere/.test(String(error.message ?? error.error?.message)));
    }));
  });
}
