// How long it takes from `git push` to the new page, through WebMeteor and by the bare commands that a careful person
// would script: git checkout, docker build, docker run, wait for 200, switch the route.
//
//   BENCH_ROUNDS=7 BENCH_TEMPLATES=static,full-stack scripts/bench push-to-live
//
// Both templates, everything in the caches, the ways in turns. Each round commits a change to every service that is
// built, pushes it, and asks the proxy every 5 ms until it answers with the new page.
//
// The bare way is made as quick as it can honestly be. Its repository is served by Git's own `git http-backend`, with a
// password that is compared and not hashed. It builds with the same engine, builder, Dockerfiles and cached layers, and
// starts the same services with the same variables, limits and rights; its Traefik is the same image set up by what
// `webmeteor proxy config traefik` prints; the old containers go after the clock has stopped. It gives nothing else that
// WebMeteor does: no queue, no log, no database of what serves, no confines for builds. With several services it is
// measured twice: one after another, as a script does it, and all at once.

import { randomBytes, randomInt } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { bench, count, median, ms, pause, ratio, run, table, until } from "./lib/bench.mjs";
import { docker, LABEL } from "./lib/docker.mjs";
import { serveGit } from "./lib/git.mjs";
import { start } from "./lib/platform.mjs";
import { routes, startTraefik, visit, writeRoute } from "./lib/proxy.mjs";

const ROUNDS = count("ROUNDS", 7);
const TEMPLATES = {
  static: {
    page: "index.html",
    change: ["index.html"],
    services: [{ name: "www", path: "/", port: 8080, health: "/", build: "." }],
  },
  "full-stack": {
    page: "www/site/index.html",
    change: ["www/site/index.html", "api/schema.sql"],
    services: [
      { name: "www", path: "/", port: 4200, health: "/", build: "www" },
      { name: "api", path: "/api", strip: true, port: 80, health: "/health", build: "api" },
      { name: "alert", path: "/socket.io", port: 3001, health: "/health", image: "webmeteor/alert:latest" },
    ],
    database: true,
  },
};
/** As `crates/docker` asks the engine for a site's containers, in the command line's words. */
const CONFINED = [
  ...["--memory=512m", "--memory-swap=512m", "--cpus=0.5", "--pids-limit=256", "--init", "--restart=unless-stopped"],
  ...["--cap-drop=ALL", "--security-opt=no-new-privileges:true", "--log-opt=max-size=10m", "--log-opt=max-file=3"],
  ...["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID"].map(
    (one) => `--cap-add=${one}`,
  ),
];
/** The first so many rounds fill the caches and are not counted. */
const WARM_UP = 1;

/** Takes the time between marks; they add up to the whole. */
class Clock {
  begun = Date.now();
  last = performance.now();
  parts = new Map();
  mark(name) {
    const now = performance.now();
    this.parts.set(name, now - this.last);
    this.last = now;
  }
}

/** Asks for the page until the text is in it. */
async function seen(port, name, text) {
  await until("the new page", async () => (await visit({ port, name }).catch(() => undefined))?.text.includes(text), {
    every: 5,
  });
}

/** A developer's clone: changes what the template says, commits, and pushes. */
class Clone {
  constructor(folder, template) {
    this.folder = folder;
    this.template = template;
  }
  git(...args) {
    const env = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1", GIT_TERMINAL_PROMPT: "0" };
    const who = ["-c", "user.name=Bench", "-c", "user.email=bench@localhost"];
    return run("git", [...who, ...args], { cwd: this.folder, env });
  }
  async commit(text) {
    for (const name of this.template.change) {
      const comment = name.endsWith(".sql") ? `-- ${text}\n` : `<!-- ${text} -->\n`;
      fs.appendFileSync(path.join(this.folder, name), comment);
    }
    await this.git("commit", "--quiet", "--all", "--message", text);
  }
  push(remote) {
    return this.git("push", "--quiet", remote, "HEAD:refs/heads/main");
  }
}

/** Through the platform. The steps' times are its own; the clock is this machine's for both. */
async function throughPlatform(platform, site, clone, text) {
  const clock = new Clock();
  const pushed = clone.push("webmeteor");
  await seen(platform.proxyPort, new URL(site.url).host, text);
  const end = Date.now();
  await pushed;
  const { items } = await platform.api("GET", `/sites/${site.id}/deployments?limit=1`);
  const isDone = (view) => view.steps.every((step) => step.finished_at) && view;
  // The old containers are stopped meanwhile, which is to disturb nobody's round.
  const deployment = await until("the drain", async () =>
    isDone(await platform.api("GET", `/deployments/${items[0].id}`)),
  );
  const parts = new Map();
  let last = clock.begun;
  const to = (name, time) => {
    parts.set(name, time - last);
    last = time;
  };
  to("push, until it is queued", Date.parse(deployment.created_at));
  for (const step of deployment.steps.filter((step) => step.name !== "drain")) {
    to(`  gap before ${step.name}`, Date.parse(step.started_at));
    if (step.name === "switch") break;
    to(step.name, Date.parse(step.finished_at));
  }
  // The page may be seen before the switch is written down as done.
  to("switch, until the page is seen", end);
  return parts;
}

/** The bare commands, and what they need beforehand. */
class Bare {
  round = 0;
  running = [];

  static async make(defer, platform, site, template, clone, isAtOnce) {
    const bare = new Bare();
    const key = `bare-${site.slug}${isAtOnce ? "-at-once" : ""}`;
    Object.assign(bare, { key, template, isAtOnce, host: `${key}.localhost`, home: path.join(platform.home, key) });
    bare.repository = path.join(bare.home, "site.git");
    bare.checkout = path.join(bare.home, "checkout");
    fs.mkdirSync(bare.checkout, { recursive: true });
    await run("git", ["clone", "--quiet", "--bare", clone.folder, bare.repository]);
    await run("git", ["--git-dir", bare.repository, "config", "http.receivepack", "true"]);
    const password = randomBytes(18).toString("hex");
    const address = await serveGit(defer, bare.home, password);
    await clone.git("remote", "add", key, `${address}/site.git`);
    bare.proxy = await startTraefik(bare.home);
    bare.subnet = `10.112.${randomInt(256)}`;
    await docker("network", "create", "--label", LABEL, `--subnet=${bare.subnet}.0/24`, key);

    // What the platform gave its containers, so that both run the same: variables, and the Dockerfile if it made one.
    const own = async (service) => {
      const filter = ["--filter", `label=webmeteor.site=${site.id}`, "--filter", `label=webmeteor.service=${service}`];
      const id = await docker("ps", "--quiet", ...filter);
      return JSON.parse(await docker("inspect", "--format", "{{json .Config.Env}}", id));
    };
    for (const { name } of template.services) bare[`env-${name}`] = (await own(name)).map((pair) => `--env=${pair}`);
    const log = await platform.api("GET", `/deployments/${site.deployment_id}/log?limit=100`);
    bare.generated = log.items
      .filter(({ text }) => text.startsWith("    "))
      .map(({ text }) => text.slice(4))
      .join("\n");
    if (template.database) {
      const env = (await own("db")).map((pair) => `--env=${pair}`);
      await docker("volume", "create", "--label", LABEL, key);
      const volume = `--volume=${key}:/var/lib/postgresql/data`;
      const network = [`--network=${key}`, "--network-alias=db"];
      await docker(
        "run",
        "--detach",
        "--label",
        LABEL,
        ...network,
        volume,
        ...CONFINED,
        ...env,
        "webmeteor/postgres:latest",
      );
    }
    return bare;
  }

  get name() {
    if (this.template.services.length === 1) return "bare commands";
    return this.isAtOnce ? "bare, all services at once" : "bare, one after another";
  }

  /** Does it for each service, in the order that this way has. */
  async each(services, work) {
    if (this.isAtOnce) return Promise.all(services.map(work));
    const done = [];
    for (const service of services) done.push(await work(service));
    return done;
  }

  async go(clone, text) {
    const { key, checkout, home, subnet, proxy, template } = this;
    this.round += 1;
    const tag = (service) => service.image ?? `webmeteor-bench/${key}-${service.name}:${this.round}`;
    const address = (service) => `${subnet}.${100 + 10 * (this.round % 2) + template.services.indexOf(service)}`;

    const clock = new Clock();
    await clone.push(key);
    clock.mark("git push");
    await run("git", ["--git-dir", this.repository, "--work-tree", checkout, "checkout", "--force", "--quiet", "main"]);
    clock.mark("git checkout");
    await this.each(
      template.services.filter((service) => service.build),
      (service) => {
        const context = path.join(checkout, service.build);
        const file = path.join(home, `Dockerfile.${service.name}`);
        const written = path.join(context, "Dockerfile");
        // With the label by which the platform knows its layers, so that both stand on the same ones; and with this
        // bench's where the platform has those of the site.
        const dockerfile = fs.existsSync(written) ? fs.readFileSync(written, "utf8") : this.generated;
        const labelled = dockerfile.replace(/^FROM .*$/gm, "$&\nLABEL webmeteor.build=shared");
        const [before, last] = labelled.split(/^(?=COPY (?!.*^COPY ))/ms);
        fs.writeFileSync(file, `${before}LABEL ${LABEL}\n${last}`);
        return docker("build", "--quiet", "--file", file, "--tag", tag(service), context);
      },
    );
    clock.mark("docker build");
    const started = await this.each(template.services, (service) => {
      const where = [`--network=${key}`, `--ip=${address(service)}`, `--network-alias=${service.name}`];
      return docker(
        "run",
        "--detach",
        "--label",
        LABEL,
        ...where,
        ...CONFINED,
        ...this[`env-${service.name}`],
        tag(service),
      );
    });
    clock.mark("docker run");
    // The containers start at once in either way, so all are waited for at once.
    await Promise.all(
      template.services.map((service) => {
        const request = { host: address(service), port: service.port, path: service.health, name: this.host };
        const isWell = async () => (await visit(request).catch(() => undefined))?.status === 200;
        return until(`${service.name} of ${key}`, isWell, { every: 20 });
      }),
    );
    clock.mark("wait for 200");
    const services = template.services.map((service) => ({
      ...service,
      url: `http://${address(service)}:${service.port}`,
    }));
    writeRoute(proxy.folder, key, routes([{ key, host: this.host, services }]));
    await seen(proxy.port, this.host, text);
    clock.mark("switch, until the page is seen");

    const old = this.running;
    this.running = started;
    if (old.length > 0) {
      await docker("stop", ...old);
      await docker("rm", "--volumes", ...old);
    }
    return clock.parts;
  }
}

async function measure(defer, platform, name) {
  const template = TEMPLATES[name];
  const site = await platform.api("POST", "/sites", { name: `Bench ${name}`, source: { template: name } });
  await platform.ended(site.deployment_id);
  const clone = new Clone(path.join(platform.home, name), template);
  await run("git", ["clone", "--quiet", "--origin=webmeteor", platform.remote(site), clone.folder]);
  const orders = template.services.length > 1 ? [false, true] : [false];
  const bares = [];
  for (const isAtOnce of orders) bares.push(await Bare.make(defer, platform, site, template, clone, isAtOnce));
  const ways = [
    { name: "WebMeteor", go: (text) => throughPlatform(platform, site, clone, text), rounds: [] },
    ...bares.map((bare) => ({ name: bare.name, go: (text) => bare.go(clone, text), rounds: [] })),
  ];
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    for (const [index, way] of ways.entries()) {
      const text = `round ${round} way ${index}`;
      await clone.commit(text);
      const parts = await way.go(text);
      if (round >= WARM_UP) way.rounds.push(parts);
      await pause(500);
    }
  }
  const total = (parts) => [...parts.values()].reduce((sum, part) => sum + part, 0);
  const middle = (way) => median(way.rounds.map(total));
  table(`${name}: from push to live, median of ${ROUNDS}`, [
    ["", "seconds", "least", "most", "WebMeteor / this"],
    ...ways.map((way) => {
      const all = way.rounds.map(total);
      const seconds = [middle(way), Math.min(...all), Math.max(...all)].map(
        (value) => `${(value / 1000).toFixed(2)} s`,
      );
      return [way.name, ...seconds, ratio(middle(ways[0]), middle(way))];
    }),
  ]);
  for (const way of ways) {
    const rows = [...way.rounds[0].keys()].map((part) => [
      part,
      ms(median(way.rounds.map((parts) => parts.get(part)))),
    ]);
    table(`${name}, ${way.name}: where it goes (medians of each part)`, [["", "median"], ...rows]);
  }
  for (const bare of bares) if (bare.running.length > 0) await docker("rm", "--force", "--volumes", ...bare.running);
}

await bench(async (defer) => {
  // The old release goes soon after each switch, so that it is gone before the next round.
  const platform = await start(defer, { DRAIN_SECONDS: 1 });
  for (const name of (process.env.BENCH_TEMPLATES ?? Object.keys(TEMPLATES).join()).split(","))
    await measure(defer, platform, name);
});
