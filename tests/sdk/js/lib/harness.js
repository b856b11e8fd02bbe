// What the tests are made of: sidecars as processes, their resources, ports, and waiting for a condition.
//
// The program under test is named by the environment variable OUTRIGGER_BIN.

import { spawn } from "node:child_process";
import { accessSync, constants, copyFileSync, createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { CommunicationProtocolEnum, DaprClient, LogLevel } from "@dapr/dapr";

// Ports below the range from which the kernel takes those of outgoing connections, so that none is lost to one.
const PORT_MIN = 12000;
const PORT_MAX = 32000;
// A sidecar in a debug build on a busy machine is up in less than a second.
const READY_MS = 20_000;
// The orderly end may take the graceful seconds that the sidecar is given, and a little.
const STOP_MS = 10_000;
// How long tests wait for something that happens in milliseconds on an idle machine.
const PATIENCE_MS = 15_000;

export const HTTP = CommunicationProtocolEnum.HTTP;
export const GRPC = CommunicationProtocolEnum.GRPC;
/** Names as the sidecar's flags have them. */
export const nameOf = (protocol) => (protocol === HTTP ? "http" : "grpc");
/** The SDK logs what it expects to fail as errors; what matters is asserted. */
export const QUIET = { level: LogLevel.Error, service: { log() {}, info() {}, warn() {}, error() {}, debug() {}, verbose() {} } };

// The resources and secrets that all SDKs' tests share; FOLDER is a folder of the sidecar's own.
const RESOURCES = readFileSync(new URL("../../resources.yaml", import.meta.url), "utf8");
const SECRETS = new URL("../../secrets.json", import.meta.url);

// A file of tests that hangs ends, and says so.
const FILE_MS = 120_000;
setTimeout(() => {
  console.error(`the tests of this file take more than ${FILE_MS} ms`);
  process.exit(1);
}, FILE_MS).unref();

// Every sidecar of this test file, so that none outlives it.
const running = new Set();
process.on("exit", () => running.forEach((sidecar) => sidecar.child.kill("SIGKILL")));

/** One run's sidecars: they find each other, and no sidecar of anyone else. */
export class Mesh {
  #folder = mkdtempSync(join(tmpdir(), "outrigger-sdk-js-"));
  #sidecars = [];
  #failed = false;

  /** The test's body; when it fails, `stop` shows the logs. */
  watch(body) {
    return async () => {
      try {
        await body();
      } catch (error) {
        this.#failed = true;
        throw error;
      }
    };
  }

  /** Starts a sidecar with resources of its own and waits until it is ready. */
  async start(appId, { appPort, appProtocol } = {}) {
    const folder = join(this.#folder, appId);
    const sidecar = new Sidecar(appId, await freePort(), await freePort());
    this.#sidecars.push(sidecar);
    sidecar.spawn(folder, join(this.#folder, "run"), [
      "--dapr-internal-grpc-port", String(await freePort()),
      ...(appPort ? ["--app-port", String(appPort), "--app-protocol", appProtocol] : []),
    ]);
    await sidecar.untilReady();
    return sidecar;
  }

  /** Ends all sidecars, and shows their logs when something failed. */
  async stop() {
    await Promise.all(this.#sidecars.map((sidecar) => sidecar.stop()));
    for (const sidecar of this.#failed ? this.#sidecars : []) {
      console.error(`log of sidecar ${sidecar.appId}:\n${sidecar.logs()}`);
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

class Sidecar {
  constructor(appId, httpPort, grpcPort) {
    Object.assign(this, { appId, httpPort, grpcPort });
  }

  spawn(folder, runFolder, more) {
    const resources = join(folder, "resources");
    mkdirSync(resources, { recursive: true });
    writeFileSync(join(resources, "all.yaml"), RESOURCES.replaceAll("FOLDER", folder));
    copyFileSync(SECRETS, join(folder, "secrets.json"));
    this.logFile = join(folder, "sidecar.log");
    const log = createWriteStream(this.logFile);
    const args = [
      "sidecar",
      "--app-id", this.appId,
      "--dapr-http-port", String(this.httpPort),
      "--dapr-grpc-port", String(this.grpcPort),
      "--dapr-graceful-shutdown-seconds", "2",
      "--enable-metrics=false",
      "--resources-path", resources,
      ...more,
    ];
    const own = { OUTRIGGER_RUN_DIR: runFolder, OUTRIGGER_MULTICAST: "off", OUTRIGGER_HOME: folder };
    const env = { ...process.env, ...own };
    this.child = spawn(program(), args, { env, stdio: ["ignore", "pipe", "pipe"] });
    running.add(this);
    this.child.stdout.pipe(log, { end: false });
    this.child.stderr.pipe(log, { end: false });
    this.ended = new Promise((resolve) =>
      this.child.once("close", (code, signal) => {
        running.delete(this);
        this.exit = { code, signal };
        log.end(() => resolve(this.exit));
      }),
    );
  }

  async untilReady() {
    const deadline = Date.now() + READY_MS;
    for (;;) {
      if (this.exit) throw new Error(`sidecar ${this.appId} ended with ${JSON.stringify(this.exit)}:\n${this.logs()}`);
      if ((await this.statusOf("/v1.0/healthz")) === 204) return;
      if (Date.now() > deadline) throw new Error(`sidecar ${this.appId} is not ready:\n${this.logs()}`);
      await pause();
    }
  }

  /** The status of a GET, or undefined when nobody answers. */
  async statusOf(path) {
    try {
      return (await fetch(`http://127.0.0.1:${this.httpPort}${path}`)).status;
    } catch {
      return undefined;
    }
  }

  logs() {
    return readFileSync(this.logFile, "utf8");
  }

  /** The SDK's client of this sidecar. */
  client(protocol) {
    return new DaprClient(this.address(protocol));
  }

  address(protocol) {
    const daprPort = String(protocol === HTTP ? this.httpPort : this.grpcPort);
    return { daprHost: "127.0.0.1", daprPort, communicationProtocol: protocol, logger: QUIET };
  }

  async stop() {
    if (!this.child || this.exit) return;
    this.child.kill("SIGTERM");
    const timer = setTimeout(() => this.child.kill("SIGKILL"), STOP_MS);
    const { signal } = await this.ended;
    clearTimeout(timer);
    if (signal === "SIGKILL") throw new Error(`sidecar ${this.appId} did not end after SIGTERM:\n${this.logs()}`);
  }
}

/** The program under test. */
function program() {
  const path = process.env.OUTRIGGER_BIN;
  if (!path) throw new Error("OUTRIGGER_BIN is not set: it names the outrigger program that these tests start");
  accessSync(path, constants.X_OK);
  return path;
}

/** A port that nothing listens on. */
export async function freePort() {
  for (let tries = 0; tries < 200; tries += 1) {
    const port = PORT_MIN + Math.floor(Math.random() * (PORT_MAX - PORT_MIN));
    const isFree = await new Promise((resolve) => {
      const probe = createServer();
      probe.once("error", () => resolve(false));
      probe.listen(port, () => probe.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
  throw new Error("no free port found");
}

/** Waits until `condition` gives something true, and returns that. */
export async function eventually(condition, what) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await condition();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`not within ${PATIENCE_MS} ms: ${what}`);
    await pause();
  }
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 10));

/** What an app was delivered, by the name of the handler. */
export class Inbox {
  #received = new Map();

  /** Keeps an event; returns how many of `name` there were before it. */
  put(name, event) {
    const before = this.get(name);
    this.#received.set(name, [...before, event]);
    return before.length;
  }

  get(name) {
    return this.#received.get(name) ?? [];
  }

  /** The events of `name` once there are `count`. */
  async waitFor(name, count = 1) {
    await eventually(() => this.get(name).length >= count, `${count} events of ${name}`);
    return this.get(name);
  }
}
