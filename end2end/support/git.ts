// Repositories: commits as a developer makes them, and a Git server on the loopback.

import { spawn } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { platform } from "./platform";
import { run } from "./run";

const IDENTITY = {
  GIT_AUTHOR_NAME: "Grace Hopper",
  GIT_AUTHOR_EMAIL: "grace@example.org",
  GIT_COMMITTER_NAME: "Grace Hopper",
  GIT_COMMITTER_EMAIL: "grace@example.org",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
};

function git(cwd: string, ...args: string[]): Promise<string> {
  return run("git", args, { cwd, env: { ...process.env, ...IDENTITY } });
}

/** The repository that the platform keeps for a site. */
export const hostedRepository = (site: string) => path.join(platform().data, "repositories", `${site}.git`);

/** An empty bare repository among the test's own, to be served by a GitServer. */
export async function newRepository(name: string): Promise<string> {
  const folder = path.join(platform().scratch, "git", `${name}.git`);
  fs.mkdirSync(folder, { recursive: true });
  await git(folder, "init", "--quiet", "--bare", "--initial-branch=main");
  return folder;
}

/** What becomes of a file: its new content, or a change to the old one. */
export type Change = string | ((old: string) => string);

/** Clones, changes files, commits, and pushes to `main`. The answer is the commit's id. */
export async function commit(repository: string, message: string, changes: Record<string, Change>): Promise<string> {
  const copy = fs.mkdtempSync(path.join(platform().scratch, "copy-"));
  try {
    await git(copy, "init", "--quiet", "--initial-branch=main");
    const hasMain = await git(copy, "ls-remote", "--heads", repository, "main");
    if (hasMain) await git(copy, "pull", "--quiet", repository, "main");
    for (const [name, change] of Object.entries(changes)) {
      const file = path.join(copy, name);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, typeof change === "string" ? change : change(fs.readFileSync(file, "utf8")));
    }
    await git(copy, "add", "--all");
    await git(copy, "commit", "--quiet", "--message", message);
    await git(copy, "push", "--quiet", repository, "HEAD:refs/heads/main");
    return await git(copy, "rev-parse", "HEAD");
  } finally {
    fs.rmSync(copy, { recursive: true, force: true });
  }
}

/** Serves the repositories of `newRepository` over HTTP, as forges do: Git's own program behind CGI (RFC 3875). */
export class GitServer {
  private readonly server = http.createServer((request, answer) => serve(request, answer));

  async listen(): Promise<this> {
    await new Promise<void>((done) => this.server.listen(0, "127.0.0.1", done));
    return this;
  }

  /** The address of a repository. */
  url(name: string): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/${name}.git`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}

/** Answers a request for one of the repositories of `newRepository`. */
export function serve(request: http.IncomingMessage, answer: http.ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? "/", "http://localhost");
  const program = spawn("git", ["http-backend"], {
    env: {
      ...process.env,
      ...IDENTITY,
      GIT_PROJECT_ROOT: path.join(platform().scratch, "git"),
      GIT_HTTP_EXPORT_ALL: "1",
      GATEWAY_INTERFACE: "CGI/1.1",
      REQUEST_METHOD: request.method,
      PATH_INFO: decodeURIComponent(pathname),
      QUERY_STRING: search.slice(1),
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  request.pipe(program.stdin);
  program.stdin.on("error", () => {});
  let head: Buffer | undefined = Buffer.alloc(0);
  program.stdout.on("data", (piece: Buffer) => {
    if (head === undefined) {
      answer.write(piece);
      return;
    }
    head = Buffer.concat([head, piece]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    for (const line of head.subarray(0, end).toString().split("\r\n")) {
      const [name = "", value = ""] = line.split(": ", 2);
      if (name === "Status") answer.statusCode = Number.parseInt(value, 10);
      else answer.setHeader(name, value);
    }
    answer.write(head.subarray(end + 4));
    head = undefined;
  });
  program.on("close", () => answer.end());
}
