// State, in memory and in SQLite, over HTTP and gRPC: get, set, delete, bulk, transactions, ETags, time to live.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { StateConcurrencyEnum, StateConsistencyEnum } from "@dapr/dapr";

import { eventually, GRPC, HTTP, Mesh, nameOf } from "./lib/harness.js";

const FIRST_WRITE = {
  concurrency: StateConcurrencyEnum.CONCURRENCY_FIRST_WRITE,
  consistency: StateConsistencyEnum.CONSISTENCY_STRONG,
};

const mesh = new Mesh();
let sidecar;
before(async () => (sidecar = await mesh.start("js-state")));
after(() => mesh.stop());
const watch = (body) => mesh.watch(body);

for (const protocol of [HTTP, GRPC]) {
  for (const store of ["statestore", "sqlstore"]) {
    describe(`${store} over ${nameOf(protocol)}`, () => {
      const key = (name) => `${nameOf(protocol)}-${name}`;
      let client;
      before(() => (client = sidecar.client(protocol)));
      const save = async (item, options) => {
        // Over HTTP the SDK gives an error back, over gRPC it throws it.
        const { error } = await client.state.save(store, [item], options);
        if (error) throw error;
      };
      const remove = async (name, options) => {
        const { error } = await client.state.delete(store, name, options);
        if (error) throw error;
      };
      const etagOf = async (name) => (await client.state.getBulk(store, [name]))[0].etag;

      test("a value is saved, read, replaced and deleted", watch(async () => {
        assert.equal(await client.state.get(store, key("a")), "");
        await save({ key: key("a"), value: "one" });
        await save({ key: key("a"), value: { name: "Ä", list: [1, 2.5, null] } });
        assert.deepEqual(await client.state.get(store, key("a")), { name: "Ä", list: [1, 2.5, null] });
        await remove(key("a"));
        assert.equal(await client.state.get(store, key("a")), "");
      }));

      test("many values are saved and read at once", watch(async () => {
        const names = ["b0", "b1", "b2"].map(key);
        await client.state.save(store, names.map((name, n) => ({ key: name, value: { n } })));
        const found = await client.state.getBulk(store, [...names, key("none")]);
        const data = Object.fromEntries(found.map((item) => [item.key, item.data]));
        assert.deepEqual(names.map((name) => data[name]), [{ n: 0 }, { n: 1 }, { n: 2 }]);
        assert.ok(!data[key("none")]);
      }));

      test("a write with an old ETag is refused", watch(async () => {
        await save({ key: key("tagged"), value: "one" });
        const etag = await etagOf(key("tagged"));
        assert.ok(etag);
        await save({ key: key("tagged"), value: "two", etag, options: FIRST_WRITE });
        await assert.rejects(save({ key: key("tagged"), value: "three", etag, options: FIRST_WRITE }), isMismatch);
        await assert.rejects(remove(key("tagged"), { etag, ...FIRST_WRITE }), isMismatch);
        assert.equal(await client.state.get(store, key("tagged")), "two");
        await remove(key("tagged"), { etag: await etagOf(key("tagged")), ...FIRST_WRITE });
        assert.equal(await client.state.get(store, key("tagged")), "");
      }));

      test("a first write finds the place taken", watch(async () => {
        await save({ key: key("first"), value: "one", options: FIRST_WRITE });
        await assert.rejects(save({ key: key("first"), value: "two", options: FIRST_WRITE }), isMismatch);
        assert.equal(await client.state.get(store, key("first")), "one");
      }));

      test("a transaction does all or nothing", watch(async () => {
        await save({ key: key("old"), value: "value" });
        await client.state.transaction(store, [
          { operation: "upsert", request: { key: key("t1"), value: "one" } },
          { operation: "upsert", request: { key: key("t2"), value: "two" } },
          { operation: "delete", request: { key: key("old") } },
        ]);
        assert.equal(await client.state.get(store, key("t1")), "one");
        assert.equal(await client.state.get(store, key("old")), "");
        const stale = await etagOf(key("t1"));
        await save({ key: key("t1"), value: "newer" });
        const refused = client.state.transaction(store, [
          { operation: "upsert", request: { key: key("t2"), value: "changed" } },
          { operation: "upsert", request: { key: key("t1"), value: "changed", etag: stale, options: FIRST_WRITE } },
        ]);
        await assert.rejects(refused);
        assert.equal(await client.state.get(store, key("t2")), "two");
      }));

      test("a value with a time to live is gone after it", watch(async () => {
        await save({ key: key("short"), value: "lived" }, { metadata: { ttlInSeconds: "1" } });
        await eventually(async () => (await client.state.get(store, key("short"))) === "", "the value expires");
      }));

      test("a store that is not there is named", watch(async () => {
        await assert.rejects(client.state.get("nowhere", "a"), /nowhere/);
      }));
    });
  }
}

/** HTTP's 409 in the SDK's words, or gRPC's ABORTED. */
function isMismatch(error) {
  const text = String(error.message);
  return text.includes('"status":409') || text.startsWith("[aborted]");
}
