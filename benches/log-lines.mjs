// What it costs a build that its log is shown: redacted, numbered, stored and told to whoever watches.
//
//   BENCH_LINES=100000 scripts/bench log-lines
//
// The same build prints the same lines, once through the platform and once by `docker build`, in turns.

import fs from "node:fs";
import path from "node:path";
import { bench, count, median, ms, ratio, run, table } from "./lib/bench.mjs";
import { LABEL } from "./lib/docker.mjs";
import { start } from "./lib/platform.mjs";

const LINES = count("LINES", 100_000);
const ROUNDS = count("ROUNDS", 3);

await bench(async (defer) => {
  const platform = await start(defer, { LOG_MAX_LINES: 2 * LINES });
  const site = await platform.api("POST", "/sites", { name: "Lines", source: { hosted: {} } });
  const folder = path.join(platform.home, "lines");
  fs.mkdirSync(folder);
  const git = (...args) => run("git", args, { cwd: folder });
  await git("init", "--quiet", "--initial-branch=main");
  const dockerfile = (round) => {
    const print = `seq 1 ${LINES} | sed "s/$/ of round ${round}: a line as long as those of a usual build/"`;
    const serve = `perl -MIO::Socket::INET -e '$s=IO::Socket::INET->new(LocalPort=>8080,Listen=>9)or die;` +
      `while($c=$s->accept){<$c>;print $c "HTTP/1.0 200 OK\\r\\n\\r\\n";close $c}'`;
    fs.writeFileSync(
      path.join(folder, "Dockerfile"),
      `FROM debian:bookworm-slim\nRUN ${print}\nEXPOSE 8080\nCMD ["/bin/sh", "-c", ${JSON.stringify(`exec ${serve}`)}]\n`,
    );
  };

  const [ours, bare] = [[], []];
  for (let round = 1; round <= ROUNDS; round++) {
    dockerfile(`${round}a`);
    await git("add", "--", "Dockerfile");
    await git("-c", "user.name=bench", "-c", "user.email=bench@localhost", "commit", "--quiet", `--message=${round}`);
    await git("push", "--quiet", platform.remote(site), "main");
    const { items } = await platform.api("GET", `/sites/${site.id}/deployments`);
    const { steps } = await platform.ended(items[0].id);
    const build = steps.find((step) => step.name === "build");
    ours.push(Date.parse(build.finished_at) - Date.parse(build.started_at));
    const [[lines]] = await platform.sql(`select log_lines from deployments where id = '${items[0].id}'`);
    if (Number(lines) < LINES) throw new Error(`only ${lines} of ${LINES} lines were kept`);

    dockerfile(`${round}b`);
    const begun = performance.now();
    const env = { ...process.env, DOCKER_BUILDKIT: "0" };
    await run("docker", ["build", "--force-rm", "--label", LABEL, folder], { env });
    bare.push(performance.now() - begun);
  }
  const row = (name, times) => [
    name,
    ms(median(times)),
    ratio(median(times), median(bare)),
    `${Math.round((LINES / median(times)) * 1000)} lines/s`,
  ];
  table(`A build that prints ${LINES} lines (median of ${ROUNDS})`, [
    ["", "time", "ratio", "rate"],
    row("through WebMeteor", ours),
    row("docker build", bare),
  ]);
});
