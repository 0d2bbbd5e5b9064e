// A Traefik beside the platform's own, set up by the platform's own words, and who visits through it.

import { randomBytes } from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { freePorts, run, until } from "./bench.mjs";
import { docker, LABEL } from "./docker.mjs";
import { environment, PROGRAM } from "./platform.mjs";

/** Starts a Traefik that reads route files in `{home}/proxy`; answers that folder and the port for visitors. */
export async function startTraefik(home) {
  const folder = path.join(home, "proxy");
  fs.mkdirSync(folder, { recursive: true });
  const [port, https, api] = await freePorts(3);
  const settings = { DATA_DIR: home, PROXY_HTTP_PORT: port, PROXY_HTTPS_PORT: https, PROXY_API_PORT: api };
  const printed = await run(PROGRAM, ["proxy", "config", "traefik"], { env: environment(settings) });
  const id = await docker(
    ...["run", "--detach", "--label", LABEL, "--network=host", "--volume", `${folder}:${folder}:ro`],
    ...["traefik:v3", ...printed.split("\n").filter((line) => line.startsWith("--"))],
  );
  const isUp = () =>
    fetch(`http://127.0.0.1:${api}/ping`).then(
      (answer) => answer.ok,
      () => false,
    );
  await until("Traefik", isUp);
  return { id, folder, port, api };
}

/** By atomic rename; `durable`: synced before and after, as the platform does it. */
export function writeRoute(folder, name, text, durable = false) {
  const draft = path.join(folder, `.${randomBytes(6).toString("hex")}.tmp`);
  fs.writeFileSync(draft, text);
  if (durable) sync(draft);
  fs.renameSync(draft, path.join(folder, `${name}.yml`));
  if (durable) sync(folder);
}

function sync(file) {
  const opened = fs.openSync(file);
  fs.fsyncSync(opened);
  fs.closeSync(opened);
}

/** Routes in the platform's layout: `[{key, host, services: [{name, path, strip, url}]}]`, an item per environment. */
export function routes(environments) {
  const routers = [];
  const middlewares = [];
  const services = [];
  for (const { key, host, services: parts } of environments) {
    for (const part of parts) {
      const name = `${key}-${part.name}`;
      const below = part.path === "/" ? "" : ` && (Path(\`${part.path}\`) || PathPrefix(\`${part.path}/\`))`;
      routers.push(
        `    ${name}:\n      entryPoints:\n      - web\n      rule: Host(\`${host}\`)${below}\n` +
          `      priority: ${part.path === "/" ? 1 : part.path.length + 1}\n      service: ${name}\n` +
          (part.strip ? `      middlewares:\n      - ${name}\n` : ""),
      );
      if (part.strip) middlewares.push(`    ${name}:\n      stripPrefix:\n        prefixes:\n        - ${part.path}\n`);
      services.push(
        `    ${name}:\n      loadBalancer:\n        passHostHeader: true\n` +
          `        servers:\n        - url: ${part.url}\n`,
      );
    }
  }
  const section = (name, parts) => (parts.length > 0 ? `  ${name}:\n${parts.join("")}` : "");
  return `http:\n${section("routers", routers)}${section("middlewares", middlewares)}${section("services", services)}`;
}

/** One request on a fresh connection: status and text. */
export function visit({ host = "127.0.0.1", port, name, path: where = "/" }) {
  return new Promise((done, failed) => {
    const options = { host, port, path: where, headers: { host: name ?? host }, agent: false, timeout: 10_000 };
    const request = http.get(options, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (piece) => (text += piece));
      answer.on("end", () => done({ status: answer.statusCode, text }));
      answer.on("error", failed);
    });
    request.on("timeout", () => request.destroy(new Error("no answer within 10 s")));
    request.on("error", failed);
  });
}
