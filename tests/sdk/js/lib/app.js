// An app on the SDK's server, over HTTP or gRPC: the same methods and topics.

import { DaprPubSubStatusEnum, DaprServer, HttpMethod } from "@dapr/dapr";

import { freePort, Inbox, nameOf, QUIET } from "./harness.js";

/** Starts the app, and then its sidecar as `app.sidecar`. */
export async function startApp(mesh, appId, protocol) {
  const port = await freePort();
  const inbox = new Inbox();
  const server = new DaprServer({
    serverHost: "127.0.0.1",
    serverPort: String(port),
    communicationProtocol: protocol,
    // The sidecar starts after the app; the app's own client is not used.
    clientOptions: { daprHost: "127.0.0.1", daprPort: String(await freePort()), communicationProtocol: protocol, logger: QUIET },
    logger: QUIET,
  });
  await addMethods(server);
  await addTopics(server, inbox);
  // Not server.start(): that waits for a sidecar, and the sidecar waits for the app.
  await server.daprServer.start("127.0.0.1", String(port));
  const sidecar = await mesh.start(appId, { appPort: port, appProtocol: nameOf(protocol) }).catch(async (error) => {
    await server.daprServer.stop();
    throw error;
  });
  const stop = async () => {
    // First the sidecar: the SDK's server waits for its connections to end.
    await sidecar.stop();
    await server.daprServer.stop();
  };
  return { inbox, sidecar, stop };
}

async function addMethods(server) {
  const echo = async ({ body, query, metadata, headers }) => ({
    body: body ? JSON.parse(body) : null,
    query,
    type: metadata?.contentType,
    caller: headers?.["dapr-caller-app-id"],
    custom: headers?.["x-custom"],
  });
  for (const method of [HttpMethod.GET, HttpMethod.POST, HttpMethod.PUT, HttpMethod.DELETE]) {
    await server.invoker.listen("echo", async (data) => ({ verb: method, ...(await echo(data)) }), { method });
  }
}

async function addTopics(server, inbox) {
  const { pubsub } = server;
  const keep = (name) => async (data) => void inbox.put(name, data);

  await pubsub.subscribe("pubsub", "orders", keep("orders"));
  await pubsub.subscribe("pubsub", "dropped", async (data) => {
    inbox.put("dropped", data);
    return DaprPubSubStatusEnum.DROP;
  });
  await pubsub.subscribe("broker", "retried", async (data) => {
    return inbox.put("retried", data) === 0 ? DaprPubSubStatusEnum.RETRY : DaprPubSubStatusEnum.SUCCESS;
  });
  await pubsub.subscribeWithOptions("pubsub", "poison", {
    callback: async (data) => {
      inbox.put("poison", data);
      return DaprPubSubStatusEnum.RETRY;
    },
    deadLetterTopic: "poison-dead",
  });
  await pubsub.subscribe("pubsub", "poison-dead", keep("poison-dead"));
  await pubsub.subscribeBulk("pubsub", "bulk", keep("bulk"), { maxMessagesCount: 10, maxAwaitDurationMs: 50 });

  const rules = [{ match: 'event.type == "cat"', path: "cats" }];
  await pubsub.subscribeWithOptions("pubsub", "animals", { route: { default: "others", rules } });
  pubsub.subscribeToRoute("pubsub", "animals", "cats", keep("cats"));
  pubsub.subscribeToRoute("pubsub", "animals", "others", keep("others"));
}
