// GitHub, as far as it is used: its pages that lead away and back, the operations of its API, and Git by token. What its
// documentation does not have is noted as a mistake.

import { createPublicKey, createVerify, generateKeyPairSync } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { serve } from "./git";

const INSTALLATION = 7;
const REPOSITORY = 1;

interface Token {
  permissions: Record<string, string>;
  repositories?: number[];
}

/** A GitHub with one account, `ada`, and one repository of hers. */
export class GitHub {
  readonly mistakes: string[] = [];
  /** What was written, by the last words of the operation's path. */
  readonly written: { to: string; body: any }[] = [];
  /** How often Git came with a token that may read. */
  fetched = 0;
  manifest: any;
  private readonly tokens = new Map<string, Token>();
  private readonly comments: { id: number; body: string }[] = [];
  private readonly keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
  private readonly server = http.createServer((request, answer) => void this.answer(request, answer));

  constructor(private readonly repository: string) {}

  async listen(): Promise<this> {
    await new Promise<void>((done) => this.server.listen(0, "127.0.0.1", done));
    return this;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  bodies = (to: string) => this.written.filter((it) => it.to === to).map((it) => it.body);

  private async answer(request: http.IncomingMessage, answer: http.ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.url);
    if (url.pathname.includes(".git/")) return this.git(request, answer);
    let text = "";
    for await (const piece of request) text += piece;
    const leads = (to: URL) => answer.writeHead(302, { location: String(to) }).end();
    if (request.method === "POST" && url.pathname === "/settings/apps/new") {
      this.manifest = JSON.parse(new URLSearchParams(text).get("manifest") ?? "{}");
      return void leads(back(this.manifest.redirect_url, { code: "manifest-code", state: url.searchParams.get("state") }));
    }
    if (url.pathname === "/apps/webmeteor-test/installations/new") {
      const state = url.searchParams.get("state");
      const given = { code: "code-of-ada", installation_id: String(INSTALLATION), setup_action: "install", state };
      return void leads(back(this.manifest.callback_urls[0], given));
    }
    const token = (request.headers.authorization ?? "").replace("Bearer ", "");
    const found = this.api(`${request.method} ${url.pathname}`, text ? JSON.parse(text) : {}, token);
    if (found === undefined) this.mistakes.push(`${request.method} ${request.url}`);
    const [status, body] = found ?? [418, {}];
    answer.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  }

  private api(operation: string, body: any, token: string): [number, unknown] | undefined {
    const repository = {
      id: REPOSITORY,
      full_name: `ada/${this.repository}`,
      private: true,
      default_branch: "main",
      clone_url: `${this.url}/ada/${this.repository}.git`,
    };
    const installation = { id: INSTALLATION, account: { login: "ada" } };
    const may = (what: string) => this.tokens.get(token)?.permissions[what] === "write";
    const base = `/api/v3/repos/ada/${this.repository}`;
    const note = (to: string, answer: [number, unknown]): [number, unknown] => {
      this.written.push({ to, body });
      return answer;
    };
    if (operation === "POST /api/v3/app-manifests/manifest-code/conversions") {
      const pem = this.keys.privateKey.export({ type: "pkcs1", format: "pem" });
      const app = { id: 42, slug: "webmeteor-test", client_id: "Iv1.client", client_secret: "hush", webhook_secret: "hook" };
      return [201, { ...app, name: "WebMeteor", pem }];
    }
    if (operation === "POST /login/oauth/access_token" && body.code === "code-of-ada" && body.client_secret === "hush") {
      return [200, { access_token: "ghu_ada", token_type: "bearer" }];
    }
    if (token === "ghu_ada" && operation === "GET /api/v3/user/installations") {
      return [200, { total_count: 1, installations: [installation] }];
    }
    if (token === "ghu_ada" && operation === `GET /api/v3/user/installations/${INSTALLATION}/repositories`) {
      return [200, { total_count: 1, repositories: [repository] }];
    }
    if (operation === `POST /api/v3/app/installations/${INSTALLATION}/access_tokens` && this.isOurs(token)) {
      const minted = `ghs_number${this.tokens.size}`;
      this.tokens.set(minted, { permissions: body.permissions, repositories: body.repository_ids });
      return [201, { token: minted, expires_at: new Date(Date.now() + 3_600_000).toISOString() }];
    }
    if (operation === "GET /api/v3/installation/repositories" && this.tokens.has(token)) {
      return [200, { total_count: 1, repositories: [repository] }];
    }
    if (operation.startsWith(`POST ${base}/statuses/`) && may("statuses")) return note("statuses", [201, { id: 1 }]);
    if (operation === `POST ${base}/deployments` && may("deployments")) return note("deployments", [201, { id: 55 }]);
    if (operation === `POST ${base}/deployments/55/statuses` && may("deployments")) {
      return note("deployment statuses", [201, { id: 1 }]);
    }
    if (operation === `GET ${base}/issues/3/comments` && may("pull_requests")) return [200, this.comments];
    if (operation === `POST ${base}/issues/3/comments` && may("pull_requests")) {
      this.comments.push({ id: 66, body: body.body });
      return note("comments", [201, { id: 66 }]);
    }
    if (operation === `PATCH ${base}/issues/comments/66` && may("pull_requests")) {
      return note("comment edits", [200, { id: 66 }]);
    }
    return undefined;
  }

  /** A JWT of the App's: RS256, signed with its key, good for ten minutes at most. */
  private isOurs(jwt: string): boolean {
    const [head = "", claims = "", signature = ""] = jwt.split(".");
    const read = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString());
    const now = Date.now() / 1000;
    const key = createPublicKey(this.keys.privateKey);
    const isSigned = createVerify("RSA-SHA256").update(`${head}.${claims}`).verify(key, signature, "base64url");
    const { iat, exp } = read(claims);
    return read(head).alg === "RS256" && isSigned && iat <= now && exp <= now + 600;
  }

  /** Git comes with a token that may read this repository and nothing else. */
  private git(request: http.IncomingMessage, answer: http.ServerResponse): void {
    const [, encoded = ""] = (request.headers.authorization ?? "").split(" ");
    const [user, password = ""] = Buffer.from(encoded, "base64").toString().split(":");
    const token = this.tokens.get(password);
    const isFit = token?.permissions.contents === "read" && String(token.repositories) === String([REPOSITORY]);
    if (user !== "x-access-token" || !isFit) {
      answer.writeHead(401, { "www-authenticate": 'Basic realm="GitHub"' }).end();
      return;
    }
    this.fetched += 1;
    request.url = request.url?.replace("/ada/", "/");
    serve(request, answer);
  }
}

function back(address: string, query: Record<string, string | null>): URL {
  const url = new URL(address);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value ?? "");
  return url;
}
