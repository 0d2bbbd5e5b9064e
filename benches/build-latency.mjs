// How much slower a site answers while a build runs wild: 64 processes that want all the processor they can get.
//
//   node benches/build-latency.mjs http://localhost:3000 EMAIL PASSWORD
//
// against a running platform on this machine. Three measurements of the same site: nothing else runs; the build runs
// through the platform, in its confines; the same build runs by `docker build`, in none. Everything it makes goes again.

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const [base, email, password] = process.argv.slice(2);
if (!password) {
  console.error("Usage: node benches/build-latency.mjs URL EMAIL PASSWORD");
  process.exit(2);
}
const SECONDS = 10;
const EACH_MS = 5;
const id = Date.now().toString(36);
const dockerfile = `FROM debian:bookworm-slim\nRUN echo ${id}; timeout 60 perl -e 'fork for 1 .. 6; $i++ while 1'\n`;

let token;
({ access_token: token } = await api("POST", "/auth/token", { email, password }));

async function api(method, path, body) {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const answer = await fetch(`${base}/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

async function until(what, found) {
  for (const end = Date.now() + 120_000; Date.now() < end; await pause(100)) {
    const value = await found();
    if (value) return value;
  }
  throw new Error(`in vain waited for: ${what}`);
}

/** Milliseconds until the whole answer is there, on a fresh connection. */
function visit(url) {
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port: url.port || 80, headers: { host: url.host }, agent: false };
    const request = http.get(options, (answer) => {
      answer.resume().on("end", () => {
        if (answer.statusCode === 200) resolve(performance.now() - begun);
        else reject(new Error(`status ${answer.statusCode}`));
      });
    });
    request.on("error", reject);
  });
}

/** Visits at a steady rate, whether answers come or not: a slow one hides none behind it. */
async function measure(url) {
  const visits = [];
  for (const end = performance.now() + SECONDS * 1000; performance.now() < end; await pause(EACH_MS)) {
    visits.push(visit(url).catch(() => Infinity));
  }
  const times = (await Promise.all(visits)).sort((a, b) => a - b);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
  return { p50: at(0.5), p99: at(0.99), failed: times.filter((time) => time === Infinity).length, visits: times.length };
}

const shown = (ms) => `${ms.toFixed(1)} ms`.padStart(10);
function print(name, now, idle) {
  const ratio = (key) => `${(now[key] / idle[key]).toFixed(2)}×`.padStart(8);
  console.log(
    `${name.padEnd(26)}${shown(now.p50)}${ratio("p50")}${shown(now.p99)}${ratio("p99")}   ${now.failed} of ${now.visits} failed`,
  );
}

const sites = [];
const folder = mkdtempSync(join(tmpdir(), "webmeteor-bench-"));
try {
  const site = await api("POST", "/sites", { name: "Bench", slug: `bench-${id}`, source: { template: "static" } });
  sites.push(site.id);
  const url = new URL(site.url);
  await until("the site", async () => (await api("GET", `/deployments/${site.deployment_id}`)).status === "live");
  await measure(url); // warm
  const idle = await measure(url);

  const wild = await api("POST", "/sites", { name: "Wild", slug: `wild-${id}`, source: { hosted: {} } });
  sites.push(wild.id);
  writeFileSync(join(folder, "Dockerfile"), dockerfile);
  const git = (...args) => execFileSync("git", args, { cwd: folder, stdio: "ignore" });
  git("init", "--initial-branch=main");
  git("add", "--", "Dockerfile");
  git("-c", "user.name=bench", "-c", "user.email=bench@localhost", "commit", "--message=wild");
  const remote = new URL(wild.repository.clone_url);
  remote.username = encodeURIComponent(email);
  remote.password = encodeURIComponent(password);
  // The push tells the deployment's progress until it has ended, so it is not waited for.
  const push = spawn("git", ["push", "--quiet", remote.href, "main"], { cwd: folder, stdio: "ignore" });
  const deployment = await until("the deployment", async () => {
    const { items } = await api("GET", `/sites/${wild.id}/deployments`);
    return items.find((item) => item.status === "building")?.id;
  });
  await pause(2000);
  const confined = await measure(url);
  await api("POST", `/deployments/${deployment}/cancel`);
  await until("its end", async () => (await api("GET", `/deployments/${deployment}`)).status === "cancelled");
  push.kill();
  await pause(2000);

  const environment = { ...process.env, DOCKER_BUILDKIT: "0" };
  const bare = spawn("docker", ["build", "--no-cache", folder], { stdio: "ignore", env: environment });
  await pause(4000);
  const free = await measure(url);
  bare.kill("SIGINT");

  console.log(`${"".padEnd(26)}${"p50".padStart(10)}${"".padEnd(8)}${"p99".padStart(10)}`);
  print("nothing else runs", idle, idle);
  print("a wild build, confined", confined, idle);
  print("a wild build, docker build", free, idle);
} finally {
  for (const site of sites) await api("DELETE", `/sites/${site}`).catch((error) => console.error(String(error)));
  rmSync(folder, { recursive: true, force: true });
}
