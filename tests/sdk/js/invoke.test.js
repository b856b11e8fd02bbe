// Invocation from one sidecar to another, of apps over HTTP and gRPC, by clients over HTTP and gRPC.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { HttpMethod } from "@dapr/dapr";

import { startApp } from "./lib/app.js";
import { GRPC, HTTP, Mesh } from "./lib/harness.js";

const mesh = new Mesh();
const apps = {};
let caller;
before(async () => {
  caller = await mesh.start("js-caller");
  apps.http = await startApp(mesh, "js-http", HTTP);
  apps.grpc = await startApp(mesh, "js-grpc", GRPC);
});
after(async () => {
  await mesh.stop();
  await Promise.all(Object.values(apps).map((app) => app.stop()));
});
const watch = (body) => mesh.watch(body);

for (const method of [HttpMethod.GET, HttpMethod.POST, HttpMethod.PUT, HttpMethod.DELETE]) {
  test(`an HTTP app is called over HTTP: ${method}`, watch(async () => {
    const body = method === HttpMethod.GET ? undefined : { n: 1 };
    const options = { headers: { "x-custom": "kept" } };
    const seen = await caller.client(HTTP).invoker.invoke("js-http", "echo?q=1%202", method, body, options);
    assert.equal(seen.verb, method);
    assert.equal(seen.query, "/echo?q=1%202");
    assert.equal(seen.caller, "js-caller");
    assert.equal(seen.custom, "kept");
    if (body) assert.deepEqual([seen.body, seen.type], [body, "application/json"]);
  }));

  test(`an HTTP app is called over gRPC: ${method}`, watch(async () => {
    const seen = await caller.client(GRPC).invoker.invoke("js-http", "echo", method, { n: 2 });
    assert.equal(seen.verb, method);
    assert.deepEqual(seen.body, { n: 2 });
  }));

  test(`a gRPC app is called over gRPC: ${method}`, watch(async () => {
    const seen = await caller.client(GRPC).invoker.invoke("js-grpc", "echo", method, { n: 3 });
    assert.deepEqual([seen.verb, seen.body, seen.type], [method, { n: 3 }, "application/json"]);
  }));

  test(`a gRPC app is called over HTTP: ${method}`, watch(async () => {
    const body = method === HttpMethod.GET ? undefined : { n: 4 };
    const seen = await caller.client(HTTP).invoker.invoke("js-grpc", "echo?q=1", method, body);
    assert.deepEqual([seen.verb, seen.query], [method, "q=1"]);
    if (body) assert.deepEqual(seen.body, body);
  }));
}

test("a method that is not there", watch(async () => {
  const absent = caller.client(HTTP).invoker.invoke("js-http", "no-such-method", HttpMethod.POST, {});
  await assert.rejects(absent, (error) => JSON.parse(error.message).status === 404);
  const overGrpc = caller.client(GRPC).invoker.invoke("js-http", "no-such-method", HttpMethod.POST, {});
  await assert.rejects(overGrpc, /^ConnectError: \[not_found\]/);
}));

test("an app that is not there", watch(async () => {
  const absent = caller.client(HTTP).invoker.invoke("nobody", "echo", HttpMethod.POST, {});
  await assert.rejects(absent, (error) => {
    const { status, error_msg: text } = JSON.parse(error.message);
    return status === 500 && JSON.parse(text).errorCode === "ERR_DIRECT_INVOKE";
  });
  const overGrpc = caller.client(GRPC).invoker.invoke("nobody", "echo", HttpMethod.POST, {});
  await assert.rejects(overGrpc, /\[(internal|unavailable)\]/);
}));
