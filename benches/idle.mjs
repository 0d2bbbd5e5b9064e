// What the platform takes while nobody asks anything of it: memory and processor, without and with its PostgreSQL and
// Traefik.
//
//   BENCH_SECONDS=30 scripts/bench idle
//
// Read from /proc. RSS counts a page that several processes share for each of them, PSS once. The alternative is the
// least that could listen at all, an HTTP server of Node with nothing in it.

import { spawn } from "node:child_process";
import fs from "node:fs";
import { bench, count, pause, ratio, run, table } from "./lib/bench.mjs";
import { docker } from "./lib/docker.mjs";
import { start } from "./lib/platform.mjs";

const SECONDS = count("SECONDS", 30);
const SETTLE = count("SETTLE", 15);

/** A process and all that it began. */
function tree(pid) {
  const begun = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
  return [pid, ...begun.flatMap((child) => tree(Number(child)))];
}

/** Megabytes that these processes hold between them, counted as `Rss` or `Pss`. */
function megabytes(pids, kind) {
  const line = new RegExp(`^${kind}:\\s+(\\d+) kB`, "m");
  const held = (pid) => Number(line.exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))[1]);
  return pids.reduce((sum, pid) => sum + held(pid), 0) / 1024;
}

/** Clock ticks that these processes have worked; see proc(5). */
function ticks(pids) {
  const worked = (pid) => {
    const fields = fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ");
    // With the ended children that were waited for.
    return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  };
  return pids.reduce((sum, pid) => sum + worked(pid), 0);
}

await bench(async (defer) => {
  const platform = await start(defer);
  const node = spawn(process.execPath, ["-e", "require('http').createServer().listen(0, '127.0.0.1')"]);
  defer(() => node.kill());
  const proxy = Number(await docker("inspect", "--format", "{{.State.Pid}}", `webmeteor-${platform.instance}-proxy`));
  await pause(SETTLE * 1000);

  // The managed PostgreSQL is begun by the platform, and yet counted apart.
  const database = tree(platform.postgres);
  const groups = [
    ["WebMeteor alone", tree(platform.pid).filter((pid) => !database.includes(pid))],
    ["its PostgreSQL", database],
    ["its Traefik", tree(proxy)],
    ["an empty server of Node", tree(node.pid)],
  ];
  const hertz = Number(await run("getconf", ["CLK_TCK"]));
  const before = groups.map(([, pids]) => ticks(pids));
  await pause(SECONDS * 1000);
  const found = groups.map(([name, pids], index) => {
    const cpu = (100 * (ticks(pids) - before[index])) / hertz / SECONDS;
    return [name, megabytes(pids, "Rss"), megabytes(pids, "Pss"), cpu];
  });
  const sum = (column) => found.slice(0, 3).reduce((all, row) => all + row[column], 0);
  found.splice(3, 0, ["all three", sum(1), sum(2), sum(3)]);
  const least = found.at(-1)[1];
  table(`Idle for ${SECONDS} s, no site`, [
    ["", "RSS", "ratio", "PSS", "of one core"],
    ...found.map(([name, rss, pss, cpu]) => [
      name,
      `${rss.toFixed(1)} MB`,
      ratio(rss, least),
      `${pss.toFixed(1)} MB`,
      `${cpu.toFixed(2)} %`,
    ]),
  ]);
});
