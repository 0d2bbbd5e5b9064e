// How much slower a site answers while a build runs wild: processes that want all the processor they can get.
//
//   BENCH_SECONDS=10 scripts/bench build-latency
//
// Three measurements of the same site: nothing else runs; the build runs through the platform, in its confines; the
// same build runs by `docker build`, in none.

import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { at, bench, count, ms, pause, ratio, run, table, until } from "./lib/bench.mjs";
import { LABEL } from "./lib/docker.mjs";
import { start } from "./lib/platform.mjs";
import { visit } from "./lib/proxy.mjs";

const SECONDS = count("SECONDS", 10);
const EACH_MS = 5;
const id = Date.now().toString(36);
const dockerfile = `FROM debian:bookworm-slim\nRUN echo ${id}; timeout 60 perl -e 'fork for 1 .. 6; $i++ while 1'\n`;

/** Visits at a steady rate, whether answers come or not: a slow one hides none behind it. */
async function measure(site) {
  const visits = [];
  const one = async () => {
    const begun = performance.now();
    const answer = await visit(site).catch(() => undefined);
    return answer?.status === 200 ? performance.now() - begun : Infinity;
  };
  for (const end = performance.now() + SECONDS * 1000; performance.now() < end; await pause(EACH_MS))
    visits.push(one());
  const times = await Promise.all(visits);
  const failed = times.filter((time) => time === Infinity).length;
  return { p50: at(times, 0.5), p99: at(times, 0.99), failed: `${failed} of ${times.length}` };
}

await bench(async (defer) => {
  const platform = await start(defer);
  const made = await platform.api("POST", "/sites", { name: "Bench", source: { template: "static" } });
  await platform.ended(made.deployment_id);
  const site = { port: platform.proxyPort, name: new URL(made.url).host };
  await measure(site); // warm
  const idle = await measure(site);

  const wild = await platform.api("POST", "/sites", { name: "Wild", source: { hosted: {} } });
  const folder = path.join(platform.home, "wild");
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, "Dockerfile"), dockerfile);
  const git = (...args) => run("git", args, { cwd: folder });
  await git("init", "--quiet", "--initial-branch=main");
  await git("add", "--", "Dockerfile");
  await git("-c", "user.name=bench", "-c", "user.email=bench@localhost", "commit", "--quiet", "--message=wild");
  // The push tells the deployment's progress until it has ended, so it is not waited for.
  const push = spawn("git", ["push", "--quiet", platform.remote(wild), "main"], { cwd: folder, stdio: "ignore" });
  defer(() => push.kill());
  const deployment = await until("the build", async () => {
    const { items } = await platform.api("GET", `/sites/${wild.id}/deployments`);
    return items.find((item) => item.status === "building")?.id;
  });
  await pause(2000);
  const confined = await measure(site);
  await platform.api("POST", `/deployments/${deployment}/cancel`);
  await platform.ended(deployment, "cancelled");
  await pause(2000);

  const env = { ...process.env, DOCKER_BUILDKIT: "0" };
  const bare = spawn("docker", ["build", "--no-cache", "--force-rm", "--label", LABEL, folder], {
    stdio: "ignore",
    env,
  });
  const ended = new Promise((done) => bare.once("exit", done));
  defer(async () => {
    bare.kill("SIGINT");
    await ended;
  });
  await pause(4000);
  const free = await measure(site);

  const row = (name, now) => [
    name,
    ms(now.p50),
    ratio(now.p50, idle.p50),
    ms(now.p99),
    ratio(now.p99, idle.p99),
    now.failed,
  ];
  table("A site's answers while a build runs wild", [
    ["", "p50", "ratio", "p99", "ratio", "failed"],
    row("nothing else runs", idle),
    row("the build, through WebMeteor", confined),
    row("the build, by docker build", free),
  ]);
});
