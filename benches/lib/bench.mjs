// What every bench shares: its beginning and end, waiting, other programs, and how figures are printed.

import { execFile } from "node:child_process";
import net from "node:net";
import { setTimeout as pause } from "node:timers/promises";

export { pause };

/** Runs a bench. What it hands to `defer` runs at the end, the last first, also after a failure or Ctrl-C. */
export async function bench(work) {
  const deferred = [];
  let code = 0;
  let leaving;
  const leave = async () => {
    for (const child of programs) child.kill();
    for (let undo = deferred.pop(); undo; undo = deferred.pop()) {
      await undo().catch((error) => console.error(String(error)));
    }
  };
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, () => {
      code = 130;
      leaving ??= leave().then(() => process.exit(code));
    });
  }
  try {
    await work((undo) => deferred.push(async () => undo()));
  } catch (error) {
    // What was interrupted fails for that very reason.
    if (!leaving) console.error(error);
    code ||= 1;
  }
  leaving ??= leave().then(() => process.exit(code));
  await leaving;
}

/** A whole number out of the environment, so that a bench can be tried with less. */
export const count = (name, usual) => Number(process.env[`BENCH_${name}`] ?? usual);

const programs = new Set();

/** What the program printed, without white space around it; fails when the program does. */
export function run(program, args, options = {}) {
  return new Promise((done, failed) => {
    const child = execFile(program, args, { maxBuffer: 32 * 1024 * 1024, ...options }, (error, out, complaints) => {
      programs.delete(child);
      if (error) failed(new Error(`${program} ${args.join(" ")}: ${complaints || error.message}`));
      else done(out.trim());
    });
    programs.add(child);
  });
}

/** Asks again and again until there is an answer that counts as true. */
export async function until(what, ask, { seconds = 180, every = 50 } = {}) {
  for (const end = Date.now() + seconds * 1000; ; await pause(every)) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`In vain waited ${seconds} s for: ${what}`);
  }
}

/** Ports of 127.0.0.1 that nobody listens on. */
export async function freePorts(number) {
  const servers = Array.from({ length: number }, () => net.createServer());
  await Promise.all(servers.map((server) => new Promise((done) => server.listen(0, "127.0.0.1", done))));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

/** The value below which this share of all lies. */
export function at(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export const ms = (value) => `${value.toFixed(value < 100 ? 1 : 0)} ms`;
export const ratio = (value, to) => `${(value / to).toFixed(2)}×`;

/** Prints rows of cells, the first one on the left, the others on the right. */
export function table(title, rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => String(row[column] ?? "").length)));
  const line = (row) =>
    widths.map((width, column) => String(row[column] ?? "")[column ? "padStart" : "padEnd"](width)).join("   ");
  console.log(`\n${title}\n\n${rows.map((row) => `  ${line(row)}`.trimEnd()).join("\n")}`);
}
