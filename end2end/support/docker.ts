// What is in Docker, found by label or by name, and its removal.

import { run } from "./run";

/** Containers first: the rest hangs on them. */
const KINDS = [
  { kind: "container", list: ["ps", "--all"], name: "{{.ID}} {{.Names}}", remove: ["rm", "--force", "--volumes"] },
  { kind: "network", list: ["network", "ls"], name: "{{.ID}} {{.Name}}", remove: ["network", "rm"] },
  { kind: "volume", list: ["volume", "ls"], name: "{{.Name}} {{.Name}}", remove: ["volume", "rm", "--force"] },
  { kind: "image", list: ["images"], name: "{{.ID}} {{.Repository}}:{{.Tag}}", remove: ["rmi", "--force"] },
];

interface Thing {
  kind: string;
  id: string;
  name: string;
}

async function list(kind: (typeof KINDS)[number], filter: string[]): Promise<Thing[]> {
  const lines = await run("docker", [...kind.list, ...filter, "--format", kind.name]);
  return lines
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const [id = "", name = ""] = line.split(" ");
      return { kind: kind.kind, id, name };
    });
}

/** Everything with a label (`name` or `name=value`), as `container NAME` and so on. */
export async function labelled(label: string): Promise<string[]> {
  const found = await Promise.all(KINDS.map((kind) => list(kind, ["--filter", `label=${label}`])));
  return found.flat().map((thing) => `${thing.kind} ${thing.name}`);
}

/** Everything whose name has `part` in it, whatever its labels. */
export async function named(part: string): Promise<string[]> {
  const found = await Promise.all(KINDS.map((kind) => list(kind, [])));
  return found
    .flat()
    .filter((thing) => thing.name.includes(part))
    .map((thing) => `${thing.kind} ${thing.name}`);
}

/** Removes everything with a label. */
export async function removeLabelled(label: string): Promise<void> {
  for (const kind of KINDS) {
    const ids = new Set((await list(kind, ["--filter", `label=${label}`])).map((thing) => thing.id));
    if (ids.size > 0) await run("docker", [...kind.remove, "--", ...ids]);
  }
}

/** The values that a label has, over everything. */
export async function valuesOf(label: string): Promise<Set<string>> {
  const values = new Set<string>();
  for (const [what, format] of [
    [["ps", "--all"], `{{.Label "${label}"}}`],
    [["network", "ls"], `{{.Label "${label}"}}`],
    [["volume", "ls"], `{{.Label "${label}"}}`],
  ] as const) {
    const lines = await run("docker", [...what, "--filter", `label=${label}`, "--format", format]);
    for (const value of lines.split("\n").filter(Boolean)) values.add(value);
  }
  return values;
}
