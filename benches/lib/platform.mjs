// A platform of the bench's own: the real program with a data folder, a database, ports and networks of its own.

import { spawn } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { freePorts, run, until } from "./bench.mjs";
import { LABEL, removeAll, removeGroups, removeRules } from "./docker.mjs";

const ROOT = path.resolve(import.meta.dirname, "../..");
export const PROGRAM = process.env.WEBMETEOR_BINARY ?? path.join(ROOT, "target/release/webmeteor");
const ENDED = ["live", "failed", "cancelled", "superseded"];

/** The program's environment: these settings, and none of whoever runs the bench. */
export function environment(settings) {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith("WEBMETEOR_"));
  return Object.fromEntries([
    ...others,
    ...Object.entries(settings).map(([name, value]) => [`WEBMETEOR_${name}`, value]),
  ]);
}

/** A folder that is gone afterwards. PostgreSQL's own user passes through. */
export function scratch(defer) {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), "webmeteor-bench-"));
  fs.chmodSync(home, 0o711);
  defer(() => fs.rmSync(home, { recursive: true, force: true }));
  return home;
}

/** Starts a platform and signs somebody up. */
export async function start(defer, settings = {}) {
  if (!fs.existsSync(PROGRAM)) throw new Error(`${PROGRAM} is missing. Run: scripts/build`);
  const home = scratch(defer);
  const data = path.join(home, "data");
  const log = path.join(home, "log");
  const [port, proxyPort, https, proxyApi] = await freePorts(4);
  const out = fs.openSync(log, "a");
  defer(removeAll);
  const child = spawn(PROGRAM, ["serve"], {
    cwd: home,
    env: environment({
      DATA_DIR: data,
      LISTEN: `127.0.0.1:${port}`,
      PUBLIC_URL: `http://localhost:${port}`,
      PROXY_HTTP_PORT: proxyPort,
      PROXY_HTTPS_PORT: https,
      PROXY_API_PORT: proxyApi,
      // One of 256 pools by chance, apart from the default one.
      SUBNET_POOL: `10.${96 + randomInt(16)}.${16 * randomInt(16)}.0/20`,
      SIGNUP: "open",
      SITE_ROOT: process.env.WEBMETEOR_SITE_ROOT ?? path.join(ROOT, "target/site"),
      TEMPLATES_DIR: path.join(ROOT, "templates"),
      ALLOW_PRIVATE_REPOSITORIES: "true",
      EXTRA_LABELS: LABEL,
      // A bench is many people at one address.
      LIMIT_FACTOR: 1000,
      ...settings,
    }),
    stdio: ["ignore", out, out],
    // Ctrl-C in a terminal is for the bench, which then stops the platform in its turn.
    detached: true,
  });
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  defer(async () => {
    child.kill("SIGINT");
    await until("the platform's end", hasEnded, { seconds: 30 }).catch(() => child.kill("SIGKILL"));
    // Where the database lies when its user cannot reach the data folder.
    const instance = fs.readFileSync(path.join(data, "instance"), "utf8").trim();
    fs.rmSync(`/var/lib/webmeteor/postgres-${instance}`, { recursive: true, force: true });
    removeGroups(instance);
    await removeRules(instance);
  });
  const base = `http://127.0.0.1:${port}`;
  await until("the platform", async () => {
    if (hasEnded()) throw new Error(`The platform ended:\n${fs.readFileSync(log, "utf8")}`);
    return (await fetch(`${base}/ready`).catch(() => undefined))?.ok;
  });

  let token;
  /** Calls the API; what is no success is an error. */
  async function api(method, route, body) {
    const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
    const answer = await fetch(`${base}/api/v1${route}`, { method, headers, body: body && JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${route}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }
  const account = { name: "Bench", email: "bench@example.org", password: randomBytes(18).toString("base64url") };
  ({ access_token: token } = await api("POST", "/auth/register", account));

  /** Waits until a deployment has ended; it is to end like this. */
  async function ended(deployment, wanted = "live") {
    const found = await until(`deployment ${deployment}`, async () => {
      const view = await api("GET", `/deployments/${deployment}`);
      return ENDED.includes(view.status) && view;
    });
    if (found.status !== wanted)
      throw new Error(`deployment ${deployment} is ${found.status}: ${JSON.stringify(found.error)}`);
    return found;
  }

  /** The address of a site's repository, for programs that have nobody to ask for a password. */
  function remote(site) {
    const url = new URL(site.repository.clone_url);
    url.username = encodeURIComponent(account.email);
    url.password = encodeURIComponent(account.password);
    return url.href;
  }

  const instance = fs.readFileSync(path.join(data, "instance"), "utf8").trim();
  const cluster = [path.join(data, "postgres"), `/var/lib/webmeteor/postgres-${instance}`]
    .map((folder) => path.join(folder, "cluster/postmaster.pid"))
    .find((file) => fs.existsSync(file));
  // The server's own file: its process, folder, start, port, and the folder of its socket.
  const [postgres, , , dbPort, socket] = fs.readFileSync(cluster, "utf8").split("\n");

  /** Asks the platform's database; rows of cells. */
  async function sql(query) {
    const args = ["--no-psqlrc", "--no-align", "--tuples-only", "--host", socket, "--port", dbPort];
    const text = await run("psql", [...args, "--username=webmeteor", "--dbname=webmeteor", "--command", query]);
    return text
      .split("\n")
      .filter(Boolean)
      .map((line) => line.split("|"));
  }

  return {
    base,
    port,
    proxyPort,
    home,
    data,
    instance,
    pid: child.pid,
    postgres: Number(postgres),
    account,
    token: () => token,
    api,
    ended,
    remote,
    sql,
  };
}
