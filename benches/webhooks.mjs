// How quickly webhooks are acknowledged, whether any is lost, and how soon a free worker begins.
//
//   BENCH_PUSHES=1000 BENCH_SITES=100 BENCH_CONNECTIONS=20 BENCH_STARTS=200 scripts/bench webhooks
//
// Signed GitHub pushes come over kept connections from 127.0.0.1, in turns with the same ones to the alternative: the
// smallest HTTP server of Node that checks the signature, appends the delivery to a file, syncs it, and answers 202.
//
// The sites' repositories are on a server, in this program, that answers when a site is made and then keeps every fetch
// waiting. So one deployment holds the one worker without using the processor, and all others stay in the queue: what
// is measured is the inbox and the queue, with no build beside it. Afterwards the server answers every fetch with 404,
// by which a deployment fails in its first step; so the queue runs dry, and then pushes that find the worker free tell
// how soon it begins.

import { fork } from "node:child_process";
import { createHmac, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { at, bench, count, ms, ratio, table, until } from "./lib/bench.mjs";
import { scratch, start } from "./lib/platform.mjs";

const PUSHES = count("PUSHES", 1000);
const SITES = count("SITES", 100);
const CONNECTIONS = count("CONNECTIONS", 20);
const STARTS = count("STARTS", 200);
/** So many at the platform, then so many at the alternative, and so on. */
const TURN = 200;

const sign = (secret, body) => `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;

/** The alternative, in a process of its own. */
function receive(file, secret) {
  const log = fs.openSync(file, "a");
  const server = http.createServer((request, answer) => {
    const pieces = [];
    request.on("data", (piece) => pieces.push(piece));
    request.on("end", () => {
      const body = Buffer.concat(pieces);
      const [told, right] = [
        Buffer.from(request.headers["x-hub-signature-256"] ?? ""),
        Buffer.from(sign(secret, body)),
      ];
      if (told.length !== right.length || !timingSafeEqual(told, right)) return answer.writeHead(401).end();
      fs.write(log, Buffer.concat([body, Buffer.from("\n")]), () => {
        fs.fdatasync(log, () => answer.writeHead(202).end());
      });
    });
  });
  server.listen(0, "127.0.0.1", () => process.send(server.address().port));
}

/** A forge's repositories, as far as `git ls-remote` asks (gitprotocol-http(5)); each answers once. */
async function forge(defer) {
  const asked = new Set();
  const waiting = [];
  let isOpen = true;
  const gone = (answer) => answer.writeHead(404).end();
  const line = (text) => (text.length + 4).toString(16).padStart(4, "0") + text;
  const tip = randomBytes(20).toString("hex");
  const server = http.createServer((request, answer) => {
    if (!isOpen) return gone(answer);
    if (asked.has(request.url)) return waiting.push(answer);
    asked.add(request.url);
    answer.setHeader("content-type", "application/x-git-upload-pack-advertisement");
    const refs = line(`${tip} HEAD\0symref=HEAD:refs/heads/main\n`) + line(`${tip} refs/heads/main\n`);
    answer.end(`${line("# service=git-upload-pack\n")}0000${refs}0000`);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  defer(() => server.closeAllConnections());
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    /** From now on no repository is there any more. */
    close() {
      isOpen = false;
      waiting.forEach(gone);
    },
  };
}

function push(site, event = "push") {
  const commit = randomBytes(20).toString("hex");
  const author = { name: "Grace Hopper", email: "grace@example.org", username: "grace" };
  const head = { id: commit, message: "A change", author, committer: author, timestamp: new Date().toISOString() };
  const repository = {
    id: 1,
    name: "site",
    full_name: "grace/site",
    clone_url: site.repository,
    default_branch: "main",
  };
  const before = "0".repeat(40);
  const what = { ref: "refs/heads/main", before, after: commit, created: false, deleted: false, forced: false };
  const body = JSON.stringify({ ...what, head_commit: head, commits: [head], repository, pusher: author });
  return { site, commit, event, delivery: randomUUID(), body, signature: sign(site.secret, body) };
}

/** Sends one and waits for the whole answer: its status, text, and milliseconds. */
function send(agent, port, route, { body, event, delivery, signature }) {
  const headers = {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "user-agent": "GitHub-Hookshot/044aadd",
    "x-github-event": event,
    "x-github-delivery": delivery,
    "x-hub-signature-256": signature,
  };
  const begun = performance.now();
  return new Promise((done, failed) => {
    const request = http.request({ host: "127.0.0.1", port, path: route, method: "POST", agent, headers }, (answer) => {
      let text = "";
      answer.on("data", (piece) => (text += piece));
      answer.on("end", () => done({ status: answer.statusCode, text, took: performance.now() - begun }));
    });
    request.on("error", failed);
    request.end(body);
  });
}

/** Sends all, in order, over a few connections. */
async function sendAll(agent, port, route, pushes) {
  const answers = [];
  const left = pushes.entries();
  const connection = async () => {
    for (const [index, one] of left) answers[index] = await send(agent, port, route(one), one);
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  return { answers, took: performance.now() - begun };
}

async function main(defer) {
  const platform = await start(defer, { BUILD_CONCURRENCY: 1 });
  const repositories = await forge(defer);
  const sites = [];
  for (let number = 0; number < SITES; number++) {
    const repository = `${repositories.url}/grace/site-${number}.git`;
    const made = await platform.api("POST", "/sites", { name: `Site ${number}`, source: { git: { url: repository } } });
    sites.push({ id: made.id, repository, secret: made.webhook.secret });
  }
  const secret = randomBytes(24).toString("hex");
  const alternative = fork(import.meta.filename, ["receive", path.join(scratch(defer), "deliveries"), secret]);
  defer(() => alternative.kill());
  const alternativePort = await new Promise((done) => alternative.once("message", done));

  const agent = new http.Agent({ keepAlive: true, maxSockets: 2 * CONNECTIONS });
  const toPlatform = (pushes) =>
    sendAll(agent, platform.port, (one) => `/webhook/customer-site/${one.site.id}`, pushes);
  const toAlternative = (pushes) => {
    const signed = pushes.map((one) => ({ ...one, signature: sign(secret, one.body) }));
    return sendAll(agent, alternativePort, () => "/", signed);
  };
  const kinds = [
    { name: "WebMeteor", send: toPlatform, status: 202, answers: [], took: 0 },
    { name: "HMAC, append and fsync", send: toAlternative, status: 202, answers: [], took: 0 },
  ];
  const warm = Array.from({ length: TURN }, (_, index) => push(sites[index % SITES], "ping"));
  for (const kind of kinds) await kind.send(warm);

  const pushes = Array.from({ length: PUSHES }, (_, index) => push(sites[index % SITES]));
  for (let from = 0; from < PUSHES; from += TURN) {
    for (const kind of kinds) {
      const { answers, took } = await kind.send(pushes.slice(from, from + TURN));
      kind.answers.push(...answers);
      kind.took += took;
    }
  }
  const rows = kinds.map((kind) => {
    const wrong = kind.answers.find((answer) => answer.status !== kind.status);
    if (wrong) throw new Error(`${kind.name} answered ${wrong.status}: ${wrong.text}`);
    const times = kind.answers.map((answer) => answer.took);
    return { name: kind.name, rate: (1000 * PUSHES) / kind.took, p50: at(times, 0.5), p99: at(times, 0.99) };
  });
  const [ours, theirs] = rows;
  table(`${PUSHES} signed pushes over ${SITES} sites, ${CONNECTIONS} connections`, [
    ["", "a second", "p50", "p99"],
    ...rows.map(({ name, rate, p50, p99 }) => [name, rate.toFixed(0), ms(p50), ms(p99)]),
    ["ratio", ratio(ours.rate, theirs.rate), ratio(ours.p50, theirs.p50), ratio(ours.p99, theirs.p99)],
  ]);

  // Lost would be: not in the inbox, answered as what leads to no deployment, or a newest commit that is not the last.
  const inbox = new Set((await platform.sql("select delivery_key from deliveries where event = 'push'")).flat());
  const missing = pushes.filter((one) => !inbox.has(one.delivery)).length;
  const unheard = kinds[0].answers.filter((answer) => JSON.parse(answer.text).outcome !== "queued").length;
  const wanted = new Map(pushes.map((one) => [one.site.id, one.commit]));
  const newest = async (site) => (await platform.api("GET", `/sites/${site}/deployments?limit=1`)).items[0];
  let stale = 0;
  for (const [site, commit] of wanted) if ((await newest(site)).commit !== commit) stale += 1;
  repositories.close();
  const open = "select count(*) from deployments where finished_at is null";
  await until("the queue to run dry", async () => Number((await platform.sql(open))[0][0]) === 0);
  const commits = [...wanted.values()].map((commit) => `'${commit}'`);
  const taken = `select count(distinct site_id) from deployments where attempt > 0 and commit_sha in (${commits})`;
  const left = wanted.size - Number((await platform.sql(taken))[0][0]);
  table("Lost", [
    [
      "not in the inbox",
      "not answered “queued”",
      "sites without their newest commit",
      "newest commits that no worker took",
    ],
    [missing, unheard, stale, left],
  ]);

  // The answer is sent right after the commit; a worker that was quicker than the answer began at once. The
  // transaction's own beginning is the upper bound.
  const waits = { "from its transaction's beginning": [], "from its answer, after the commit": [] };
  for (let number = 0; number < STARTS; number++) {
    const one = push(sites[number % SITES]);
    const answer = await send(agent, platform.port, `/webhook/customer-site/${one.site.id}`, one);
    const answered = Date.now();
    const { steps, created_at } = await platform.ended(JSON.parse(answer.text).deployment_id, "failed");
    const begun = Date.parse(steps.find((step) => step.name === "fetch").started_at);
    waits["from its transaction's beginning"].push(begun - Date.parse(created_at));
    waits["from its answer, after the commit"].push(Math.max(0, begun - answered));
  }
  table(`From a webhook to a free worker's first step, ${STARTS} pushes one by one`, [
    ["", "p50", "p99", "most"],
    ...Object.entries(waits).map(([since, all]) => [since, ms(at(all, 0.5)), ms(at(all, 0.99)), ms(Math.max(...all))]),
  ]);
  agent.destroy();
}

if (process.argv[2] === "receive") receive(process.argv[3], process.argv[4]);
else await bench(main);
