// How long a route takes to switch: from the writing of its file to the first answer of the new backend, while the
// proxy holds 10, 1,000 and 5,000 routes.
//
//   BENCH_ROUNDS=9 BENCH_ROUTES=10,1000,5000 scripts/bench switch
//
// A real Traefik, set up by what `webmeteor proxy config traefik` prints, with a file for each environment as the
// platform writes them. Beside it another one with all routes in one file. Both run at once and switch in turn.

import http from "node:http";
import { at, bench, count, median, ms, pause, ratio, table } from "./lib/bench.mjs";
import { docker, removeAll } from "./lib/docker.mjs";
import { scratch } from "./lib/platform.mjs";
import { routes, startTraefik, visit, writeRoute } from "./lib/proxy.mjs";

const ROUNDS = count("ROUNDS", 9);
const ROUTES = (process.env.BENCH_ROUTES ?? "10,1000,5000").split(",").map(Number);
const HOST = "switched.localhost";

/** An environment's routes as the platform renders them. */
const environment = (number, url) => ({
  key: `0198c5a0-0000-7000-8000-${String(number).padStart(12, "0")}`,
  host: number === 0 ? HOST : `site-${number}.localhost`,
  services: [{ name: "www", path: "/", url: url ?? `http://10.64.${number >> 8}.${number & 255}:8080` }],
});

/** Answers with its own address. */
async function backend(defer) {
  const server = http.createServer((_, answer) => answer.end(url));
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  defer(() => server.close());
  const url = `http://127.0.0.1:${server.address().port}`;
  return url;
}

/** Writes the route and waits for the first answer of where it now leads; milliseconds. */
async function switched(proxy, url, write) {
  const begun = performance.now();
  write(url);
  for (;;) {
    const answer = await visit({ port: proxy.port, name: HOST });
    if (answer.text === url) return performance.now() - begun;
    if (performance.now() - begun > 60_000)
      throw new Error(`not switched within 60 s: ${answer.status} ${answer.text}`);
    await pause(2);
  }
}

async function measure(defer, present, backends) {
  const others = Array.from({ length: present - 1 }, (_, index) => environment(index + 1));
  const [perEnvironment, oneFile] = [await startTraefik(scratch(defer)), await startTraefik(scratch(defer))];
  for (const other of others) writeRoute(perEnvironment.folder, other.key, routes([other]));
  const ways = [
    (url) => writeRoute(perEnvironment.folder, environment(0).key, routes([environment(0, url)]), true),
    (url) => writeRoute(oneFile.folder, "all", routes([environment(0, url), ...others]), true),
  ];
  const times = [[], []];
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [index, proxy] of [perEnvironment, oneFile].entries()) {
      const took = await switched(proxy, backends[round % 2], ways[index]);
      // The first one loads all routes and is none.
      if (round > 0) times[index].push(took);
      // The proxy may read more than once for one change; the next one is to find it idle.
      await pause(500 + took);
    }
  }
  await docker("rm", "--force", perEnvironment.id, oneFile.id);
  return times;
}

await bench(async (defer) => {
  defer(removeAll);
  const backends = [await backend(defer), await backend(defer)];
  const rows = [["routes present", "a file each, p50", "p99", "one file, p50", "p99", "a file each / one file"]];
  for (const present of ROUTES) {
    const [each, one] = await measure(defer, present, backends);
    const [p50, alternative] = [median(each), median(one)];
    rows.push([present, ms(p50), ms(at(each, 0.99)), ms(alternative), ms(at(one, 0.99)), ratio(p50, alternative)]);
  }
  table(`Switch of one route, median of ${ROUNDS}`, rows);
});
