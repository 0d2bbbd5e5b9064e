// The platform under test: the real program with a data folder, a database, ports and networks of its own.

import { spawn, type ChildProcess } from "node:child_process";
import { randomInt } from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { serveDns } from "./dns";
import { labelled, removeLabelled, valuesOf } from "./docker";
import { run } from "./run";
import { until } from "./until";

/** What a test needs to know of it. */
export interface Platform {
  /** The dashboard's address, for browsers. */
  url: string;
  /** The dashboard's port on 127.0.0.1, for programs. */
  port: number;
  /** The proxy's port for HTTP on 127.0.0.1. */
  proxyPort: number;
  /** The data folder. */
  data: string;
  /** A folder for what tests put beside it. */
  scratch: string;
  /** What it printed. */
  log: string;
}

const ROOT = path.resolve(import.meta.dirname, "../..");
const PREFIX = "webmeteor-e2e-";
/** The label's value names the runner, so that what a killed runner left can be told from what is in use. */
const LABEL = "webmeteor.test";
const VARIABLE = "WEBMETEOR_E2E_PLATFORM";

/** The running platform, as the set-up handed it on. */
export function platform(): Platform {
  const text = process.env[VARIABLE];
  if (!text) throw new Error("The platform was not started: run the tests by scripts/e2e.");
  return JSON.parse(text) as Platform;
}

/** Starts the platform and hands it to the tests. The answer stops it and removes all it made. */
export async function start(): Promise<() => Promise<void>> {
  await removeLeftovers();
  const dns = await serveDns();
  try {
    const { running, leave } = await startPlatform("platform", { SIGNUP: "open", DNS_SERVER: dns.address });
    process.env[VARIABLE] = JSON.stringify(running);
    return async () => {
      await leave();
      dns.close();
    };
  } catch (error) {
    dns.close();
    throw error;
  }
}

/** Starts a platform with these settings. `leave` stops it and removes all it made; its log is kept under `name`. */
export async function startPlatform(
  name: string,
  settings: Record<string, string>,
): Promise<{ running: Platform; leave: () => Promise<void> }> {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), `${PREFIX}${process.pid}-`));
  // PostgreSQL's own user passes through.
  fs.chmodSync(home, 0o711);
  const [port = 0, http = 0, https = 0, api = 0] = await freePorts(4);
  const running: Platform = {
    url: `http://localhost:${port}`,
    port,
    proxyPort: http,
    data: path.join(home, "data"),
    scratch: path.join(home, "scratch"),
    log: path.join(home, "log"),
  };
  fs.mkdirSync(running.scratch);
  const label = `${LABEL}=e2e-${process.pid}`;
  const child = launch(home, running.log, {
    DATA_DIR: running.data,
    LISTEN: `127.0.0.1:${port}`,
    PUBLIC_URL: running.url,
    PROXY_HTTP_PORT: String(http),
    PROXY_HTTPS_PORT: String(https),
    PROXY_API_PORT: String(api),
    // One of 256 pools by chance, apart from the default one and from those of the other tests.
    SUBNET_POOL: `10.${96 + randomInt(16)}.${16 * randomInt(16)}.0/20`,
    // All journeys come from one address.
    LIMIT_FACTOR: "100",
    SITE_ROOT: process.env.WEBMETEOR_SITE_ROOT ?? path.join(ROOT, "target/site"),
    TEMPLATES_DIR: path.join(ROOT, "templates"),
    ALLOW_PRIVATE_REPOSITORIES: "true",
    EXTRA_LABELS: label,
    DRAIN_SECONDS: "2",
    LOG: "info,platform=debug,server=debug",
    LOG_FORMAT: "pretty",
    ...settings,
  });
  const leave = async () => {
    await stop(child);
    keepLog(running.log, name);
    await removeHome(home);
    await removeLabelled(label);
  };
  try {
    await until("the platform to be ready", () => isReady(port, child, running.log));
  } catch (error) {
    await leave();
    throw error;
  }
  return { running, leave };
}

function launch(home: string, log: string, settings: Record<string, string>): ChildProcess {
  const program = process.env.WEBMETEOR_BINARY ?? path.join(ROOT, "target/release/webmeteor");
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith("WEBMETEOR_"));
  const own = Object.entries(settings).map(([name, value]) => [`WEBMETEOR_${name}`, value]);
  const out = fs.openSync(log, "a");
  try {
    return spawn(program, ["serve"], {
      cwd: home,
      env: Object.fromEntries([...others, ...own]),
      stdio: ["ignore", out, out],
      // Ctrl-C in a terminal is for the runner, which then stops the platform in its turn.
      detached: true,
    });
  } finally {
    fs.closeSync(out);
  }
}

async function isReady(port: number, child: ChildProcess, log: string): Promise<boolean> {
  if (child.exitCode !== null || child.signalCode !== null) {
    throw new Error(`The platform ended:\n${fs.readFileSync(log, "utf8")}`);
  }
  const answer = await fetch(`http://127.0.0.1:${port}/ready`).catch(() => undefined);
  return answer?.ok ?? false;
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  if (ended()) return;
  child.kill("SIGINT");
  await until("the platform's end", ended, 30).catch(() => child.kill("SIGKILL"));
}

/** Removes a data folder with all that its platform made, whether or not that is still running. */
async function removeHome(home: string): Promise<void> {
  const data = path.join(home, "data");
  const read = (file: string) => (fs.existsSync(file) ? fs.readFileSync(file, "utf8").trim() : "");
  const instance = read(path.join(data, "instance"));
  for (const folder of [path.join(data, "postgres"), `/var/lib/webmeteor/postgres-${instance}`]) {
    await endPostgres(Number(read(path.join(folder, "cluster/postmaster.pid")).split("\n")[0]));
    if (instance) fs.rmSync(folder, { recursive: true, force: true });
  }
  if (instance) await removeLabelled(`webmeteor.instance=${instance}`);
  if (instance) await removeRules(`webmeteor-${instance}`);
  fs.rmSync(home, { recursive: true, force: true });
}

/** Removes the rule of the packet filter that keeps an installation's sites apart. */
async function removeRules(mark: string): Promise<void> {
  const iptables = (...args: string[]) => run("iptables", ["-t", "mangle", "-w", "5", ...args]);
  const rules = (await iptables("-S", "FORWARD")).split("\n").map((rule) => rule.replaceAll('"', "").split(" "));
  for (const [, ...rule] of rules.filter((words) => words.includes(mark))) await iptables("-D", ...rule);
}

/** A managed database outlives a platform that was killed. */
async function endPostgres(pid: number): Promise<void> {
  const isThere = () => fs.existsSync(`/proc/${pid}`);
  if (!pid || !commandOf(pid).includes("postgres")) return;
  process.kill(pid, "SIGQUIT");
  await until("the database's end", () => !isThere(), 20);
}

/** What runners left that were killed. */
async function removeLeftovers(): Promise<void> {
  const isGone = (runner: string | undefined) => !commandOf(Number(runner)).includes("playwright");
  for (const name of fs.readdirSync(os.tmpdir()).filter((name) => name.startsWith(PREFIX))) {
    if (!isGone(name.slice(PREFIX.length).split("-")[0])) continue;
    const home = path.join(os.tmpdir(), name);
    for (const pid of fs.readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
      if (workingFolderOf(pid) === home && commandOf(Number(pid)).includes("webmeteor")) {
        process.kill(Number(pid), "SIGKILL");
        await until("a left platform's end", () => workingFolderOf(pid) !== home, 20);
      }
    }
    await removeHome(home);
  }
  for (const value of await valuesOf(LABEL)) {
    const label = `${LABEL}=${value}`;
    if (value.startsWith("e2e-") && isGone(value.slice(4)) && (await labelled(label)).length > 0) {
      await removeLabelled(label);
    }
  }
}

function commandOf(pid: number): string {
  try {
    return pid > 0 ? fs.readFileSync(`/proc/${pid}/cmdline`, "utf8") : "";
  } catch {
    return "";
  }
}

function workingFolderOf(pid: string): string {
  try {
    return fs.readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return "";
  }
}

/** For whoever looks into a failure. */
function keepLog(log: string, name: string): void {
  const folder = path.join(ROOT, "end2end/test-results");
  fs.mkdirSync(folder, { recursive: true });
  fs.copyFileSync(log, path.join(folder, `${name}.log`));
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = net.createServer();
      await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as net.AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}
