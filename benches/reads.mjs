// What signing in, one authorised read of the API and the page of sites take, and whether they grow with what there is.
//
//   BENCH_FEW=10 BENCH_SITES=1000 BENCH_DEPLOYMENTS=100000 BENCH_REQUESTS=2000 BENCH_CONNECTIONS=8 scripts/bench reads
//
// First with few sites, then with all of them, each with as many deployments; the alternative of the second is the first. Sites and
// deployments are written into the database by themselves: none of them runs, which is what reads do not look at.
// The load comes from this program, over kept connections from 127.0.0.1, on the same cores. The queries are counted by
// PostgreSQL's own log, in a few requests afterwards.

import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { at, bench, count, ms, ratio, table, until } from "./lib/bench.mjs";
import { start } from "./lib/platform.mjs";

const SITES = count("SITES", 1000);
const DEPLOYMENTS = count("DEPLOYMENTS", 100_000);
const REQUESTS = count("REQUESTS", 2000);
const CONNECTIONS = count("CONNECTIONS", 8);
/** A page of sites shows fifty at most: with fewer in the first measure it grows by what it shows. */
const FEW = count("FEW", 10);
/** Requests in which queries are counted. */
const COUNTED = 5;

/** One request; answers its status, text, headers and milliseconds. */
function ask(agent, port, { method = "GET", route, headers = {}, body }) {
  return new Promise((done, failed) => {
    const begun = performance.now();
    const request = http.request({ agent, host: "127.0.0.1", port, method, path: route, headers }, (answer) => {
      const pieces = [];
      answer.on("data", (piece) => pieces.push(piece));
      answer.on("error", failed);
      answer.on("end", () =>
        done({
          status: answer.statusCode,
          headers: answer.headers,
          text: Buffer.concat(pieces).toString(),
          took: performance.now() - begun,
        }),
      );
    });
    request.on("error", failed);
    request.end(body);
  });
}

/** Sends the same request so often, and insists on its status. */
async function load(port, kind, times, connections) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  const took = [];
  let left = times;
  const connection = async () => {
    while (left-- > 0) {
      const answer = await ask(agent, port, kind);
      if (answer.status !== kind.status) throw new Error(`${kind.name}: ${answer.status} ${answer.text.slice(0, 300)}`);
      took.push(answer.took);
    }
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: connections }, connection));
  agent.destroy();
  return { rate: (1000 * times) / (performance.now() - begun), p50: at(took, 0.5), p99: at(took, 0.99) };
}

/** Copies of the first site, each with a production of its own. */
async function addSites(platform, number) {
  const columns = async (name) =>
    (await platform.sql(`select column_name from information_schema.columns where table_name = '${name}'`)).flat();
  const copy = async (name, own, from) => {
    const all = await columns(name);
    const values = all.map((column) => own[column] ?? `t.${column}`);
    await platform.sql(`insert into ${name} (${all}) select ${values} from ${from}`);
  };
  const [[have]] = await platform.sql("select count(*) from sites");
  const numbers = `generate_series(${Number(have) + 1}, ${number}) n`;
  const first = "(select * from sites order by created_at limit 1) t";
  await copy(
    "sites",
    {
      id: "gen_random_uuid()",
      slug: "'bench-' || n",
      name: "'Bench ' || n",
      created_at: "now() - n * interval '1 minute'",
    },
    `${first}, ${numbers}`,
  );
  await copy(
    "environments",
    {
      id: "gen_random_uuid()",
      site_id: "s.id",
      host: "s.slug",
      subnet_index: "(select max(subnet_index) from environments) + row_number() over (order by s.slug)",
    },
    "(select e.* from environments e order by created_at limit 1) t, " +
      "sites s where not exists (select from environments x where x.site_id = s.id)",
  );
}

/** So many for each site that has none yet. */
async function addDeployments(platform, each) {
  await platform.sql(
    `insert into deployments (id, team_id, site_id, environment_id, number, status, trigger, branch, commit_sha,
                              commit_message, commit_author, created_at, finished_at)
     select gen_random_uuid(), e.team_id, e.site_id, e.id, 1000 + n, case when n % 7 = 0 then 'failed' else 'live' end,
            'push', 'main', md5(n::text) || 'deadbeef', 'Change ' || n, 'Ada',
            now() - n * interval '1 second', now() - n * interval '1 second'
     from environments e, generate_series(1, ${each}) n
     where not exists (select from deployments d where d.environment_id = e.id)`,
  );
  await platform.sql("analyze");
}

/** Statements that one request of a kind leads to; what the platform does by itself meanwhile is taken off. */
async function queries(platform, kind) {
  const log = ["", "/cluster"]
    .flatMap((end) => [
      path.join(platform.data, `postgres${end}/../postgres.log`),
      path.join(`/var/lib/webmeteor/postgres-${platform.instance}${end}`, "../postgres.log"),
      path.join(`/var/lib/webmeteor/postgres-${platform.instance}`, "postgres.log"),
      path.join(platform.data, "postgres", "postgres.log"),
    ])
    .find((file) => fs.existsSync(file));
  if (!log) throw new Error("The database's log is not where it was looked for.");
  const statements = () => fs.readFileSync(log, "utf8").match(/LOG: {2}(execute|statement)/g)?.length ?? 0;
  const during = async (work) => {
    const before = statements();
    const begun = performance.now();
    await work();
    return [statements() - before, performance.now() - begun];
  };
  await platform.sql("alter system set log_statement = 'all'");
  await platform.sql("select pg_reload_conf()");
  await until("the database to log statements", async () => {
    const before = statements();
    await platform.sql("select 1");
    return statements() > before;
  });
  const [idle, idleTook] = await during(() => new Promise((done) => setTimeout(done, 2000)));
  const [all, took] = await during(() => load(platform.port, kind, COUNTED, 1));
  await platform.sql("alter system reset log_statement");
  await platform.sql("select pg_reload_conf()");
  return Math.max(0, Math.round((all - (idle * took) / idleTook) / COUNTED));
}

await bench(async (defer) => {
  const platform = await start(defer, { BUILD_CONCURRENCY: 1 });
  const made = await platform.api("POST", "/sites", { name: "Bench", source: { hosted: {} } });
  if (made.deployment_id) await platform.ended(made.deployment_id, "failed").catch(() => {});
  await addSites(platform, FEW);

  const { email, password } = platform.account;
  const credentials = JSON.stringify({ email, password });
  const json = { "content-type": "application/json" };
  const agent = new http.Agent({ keepAlive: true });
  const signedIn = await ask(agent, platform.port, {
    method: "POST",
    route: "/_fn/sign_in",
    headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
    body: new URLSearchParams({ email, password }).toString(),
  });
  const cookie = signedIn.headers["set-cookie"]?.[0]?.split(";")[0];
  if (!cookie) throw new Error(`signing in: ${signedIn.status} ${signedIn.text}`);
  const bearer = { authorization: `Bearer ${platform.token()}` };
  const kinds = [
    { name: "sign-in", method: "POST", route: "/api/v1/auth/token", headers: json, body: credentials, status: 200, share: 0.05 },
    { name: "GET /api/v1/sites/{id}", route: `/api/v1/sites/${made.id}`, headers: bearer, status: 200, share: 1 },
    { name: "GET …/deployments", route: `/api/v1/sites/${made.id}/deployments?limit=20`, headers: bearer, status: 200, share: 1 },
    { name: "the page of sites", route: "/sites", headers: { cookie, accept: "text/html" }, status: 200, share: 0.25 },
  ];
  const measure = async () => {
    const found = [];
    for (const kind of kinds) {
      const times = Math.max(20, Math.round(REQUESTS * kind.share));
      await load(platform.port, kind, Math.ceil(times / 10), CONNECTIONS);
      found.push({ ...(await load(platform.port, kind, times, CONNECTIONS)), queries: await queries(platform, kind) });
    }
    return found;
  };
  const each = Math.round(DEPLOYMENTS / SITES);
  await addDeployments(platform, each);
  const few = await measure();
  await addSites(platform, SITES);
  await addDeployments(platform, each);
  const many = await measure();
  agent.destroy();

  const row = (name, { rate, p50, p99, queries }) => [name, rate.toFixed(0), ms(p50), ms(p99), queries];
  table(`${CONNECTIONS} connections, ${FEW} sites, then ${SITES} sites and ${DEPLOYMENTS} deployments`, [
    ["", "a second", "p50", "p99", "queries"],
    ...kinds.flatMap(({ name }, index) => [
      row(`${name}, ${FEW}`, few[index]),
      row(`${name}, ${SITES}`, many[index]),
      [
        "ratio",
        ratio(many[index].rate, few[index].rate),
        ratio(many[index].p50, few[index].p50),
        ratio(many[index].p99, few[index].p99),
        ratio(many[index].queries, few[index].queries),
      ],
    ]),
  ]);
});
