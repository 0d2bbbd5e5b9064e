// Docker by its command line. All that a bench makes bears its label, and goes by it.

import fs from "node:fs";
import path from "node:path";
import { run } from "./bench.mjs";

/** On everything of this run. */
export const LABEL = `webmeteor.bench=${process.pid}`;

export const docker = (...args) => run("docker", args, { env: { ...process.env, DOCKER_BUILDKIT: "0" } });

/** Containers first: the rest hangs on them. */
const KINDS = [
  { list: ["ps", "--all", "--quiet"], remove: ["rm", "--force", "--volumes"] },
  { list: ["network", "ls", "--quiet"], remove: ["network", "rm"] },
  { list: ["volume", "ls", "--quiet"], remove: ["volume", "rm", "--force"] },
  { list: ["images", "--quiet"], remove: ["rmi", "--force"] },
];

export async function removeAll() {
  for (const { list, remove } of KINDS) {
    const found = await docker(...list, "--filter", `label=${LABEL}`);
    const ids = new Set(found.split("\n").filter(Boolean));
    if (ids.size > 0) await docker(...remove, "--", ...ids);
  }
}

/** Removes the control groups that an installation's builds ran in; they are empty by now. */
export function removeGroups(instance) {
  const root = "/sys/fs/cgroup";
  const folders = (at) =>
    (fs.existsSync(at) ? fs.readdirSync(at, { withFileTypes: true }) : []).filter((one) => one.isDirectory());
  for (const controller of [".", ...folders(root).map((one) => one.name)]) {
    const group = path.join(root, controller, `webmeteor-${instance}`);
    for (const build of folders(group)) fs.rmdirSync(path.join(group, build.name));
    if (fs.existsSync(group)) fs.rmdirSync(group);
  }
}

/** Removes the rule of the packet filter that keeps an installation's sites apart. */
export async function removeRules(instance) {
  const iptables = (...args) => run("iptables", ["-t", "mangle", "-w", "5", ...args]);
  const rules = (await iptables("-S", "FORWARD")).split("\n").map((rule) => rule.replaceAll('"', "").split(" "));
  for (const [, ...rule] of rules.filter((words) => words.includes(`webmeteor-${instance}`)))
    await iptables("-D", ...rule);
}
