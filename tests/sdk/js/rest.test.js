// Secrets, metadata, health, and the end, over HTTP and gRPC.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { GRPC, HTTP, Mesh, nameOf } from "./lib/harness.js";

const mesh = new Mesh();
let sidecar;
before(async () => (sidecar = await mesh.start("js-rest")));
after(() => mesh.stop());
const watch = (body) => mesh.watch(body);

for (const protocol of [HTTP, GRPC]) {
  test(`secrets are read over ${nameOf(protocol)}`, watch(async () => {
    const { secret } = sidecar.client(protocol);
    assert.deepEqual(await secret.get("secrets", "password"), { password: "p1" });
    assert.deepEqual(await secret.getBulk("secrets"), {
      password: { password: "p1" },
      "redis:user": { "redis:user": "alice" },
      "redis:token": { "redis:token": "t1" },
    });
    await assert.rejects(secret.get("secrets", "none"));
    await assert.rejects(secret.get("nowhere", "password"), /nowhere/);
  }));

  test(`metadata is read and set over ${nameOf(protocol)}`, watch(async () => {
    const { metadata } = sidecar.client(protocol);
    assert.equal(await metadata.set(`colour-${nameOf(protocol)}`, "blue"), true);
    const found = await metadata.get();
    assert.equal(found.id, "js-rest");
    assert.equal(found.extended[`colour-${nameOf(protocol)}`], "blue");
    const types = Object.fromEntries(found.components.map(({ name, type }) => [name, type]));
    assert.equal(types.statestore, "state.in-memory");
    assert.equal(types.secrets, "secretstores.local.file");
    const { capabilities } = found.components.find(({ name }) => name === "sqlstore");
    assert.ok(["ETAG", "TRANSACTIONAL", "TTL"].every((one) => capabilities.includes(one)), String(capabilities));
  }));

  test(`health is told over ${nameOf(protocol)}`, watch(async () => {
    assert.equal(await sidecar.client(protocol).health.isHealthy(), true);
  }));

  test(`a sidecar ends when it is told to over ${nameOf(protocol)}`, watch(async () => {
    const other = await mesh.start(`js-end-${nameOf(protocol)}`);
    await other.client(protocol).sidecar.shutdown();
    assert.deepEqual(await other.ended, { code: 0, signal: null });
  }));
}
