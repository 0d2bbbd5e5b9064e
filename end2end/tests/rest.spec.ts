// The whole way by script: what the REST API promises, and how it answers what is wrong.

import { type Account, Api, newAccount, readAnswer, unique } from "../support/api";
import { labelled } from "../support/docker";
import { commit, GitServer, newRepository } from "../support/git";
import { platform } from "../support/platform";
import { deafSite, plainSite, remains } from "../support/sites";
import { expect, test } from "../support/test";
import { until } from "../support/until";
import { Onlooker, visit } from "../support/visit";
import { announce, deliver } from "../support/webhook";

let account: Account;
let api: Api;

test.beforeAll(async () => {
  account = newAccount("Grace Hopper");
  api = await Api.register(account);
});

/** An answer as RFC 9457 has it, with this status and code, and the fields that are wrong. */
const problem = (status: number, code: string, ...fields: string[]) => ({
  status,
  type: "application/problem+json",
  body: {
    status,
    code,
    title: expect.stringMatching(/./),
    detail: expect.stringMatching(/./),
    ...(fields.length > 0 ? { errors: fields.map((field) => expect.objectContaining({ field })) } : {}),
  },
});

test("tokens are had, renewed once and given back", async () => {
  const answer = await new Api().post("/auth/token", { email: account.email, password: account.password });
  expect(answer).toMatchObject({ status: 200, body: { expires_in: expect.any(Number) } });
  const renewed = await new Api().post("/auth/refresh", { refresh_token: answer.body.refresh_token });
  expect(renewed.status).toBe(200);
  const me = await new Api(renewed.body.access_token).get("/me");
  expect(me).toMatchObject({ status: 200, body: { email: account.email, is_admin: false } });
  const again = await new Api().post("/auth/refresh", { refresh_token: answer.body.refresh_token });
  expect(again).toMatchObject(problem(401, "invalid_refresh_token"));
  const end = await new Api().post("/auth/logout", { refresh_token: renewed.body.refresh_token });
  expect(end.status).toBe(204);
  const teams = await api.get("/teams");
  expect(teams.body.items).toHaveLength(1);
});

test("signing in does not tell whether there is such an account", async () => {
  const known = await new Api().post("/auth/token", { email: account.email, password: "quite another one" });
  const unknown = await new Api().post("/auth/token", { email: "nobody@example.org", password: "quite another one" });
  expect(known).toMatchObject(problem(401, "bad_credentials"));
  expect(unknown).toEqual(known);
});

test("who is not signed in is told so everywhere", async () => {
  const nobody = new Api("not.a.token");
  for (const path of ["/me", "/teams", "/sites", `/sites/${crypto.randomUUID()}`, `/deployments/${crypto.randomUUID()}/log`]) {
    expect(await new Api().get(path), path).toMatchObject(problem(401, "unauthenticated"));
    expect((await nobody.get(path)).status, path).toBe(401);
  }
});

test("an account is refused with every field that is wrong", async () => {
  const refused = await new Api().post("/auth/register", { email: "no address", password: "short", name: "" });
  expect(refused.status).toBe(422);
  expect(refused.body.errors.map((error: { field: string }) => error.field).sort()).toEqual(["email", "name", "password"]);
  expect(await new Api().post("/auth/register", account)).toMatchObject(problem(409, "email_taken"));
});

test.describe("a site is refused", () => {
  const template = { template: "static" };

  for (const slug of ["ab", "a".repeat(41), "Upper", "two--hyphens", "-first", "last-", "a_b", "a.b", "ümlaut", "123", "api", "a b", "../x"]) {
    test(`with the address “${slug}”`, async () => {
      expect(await api.post("/sites", { name: "X", slug, source: template })).toMatchObject(problem(422, "invalid_input", "slug"));
    });
  }

  test("with a name that is none", async () => {
    for (const name of ["", " ", "x".repeat(81), "a\u0000b"]) {
      const answer = await api.post("/sites", { name, slug: unique("n"), source: template });
      expect(answer, JSON.stringify(name)).toMatchObject(problem(422, "invalid_input", "name"));
    }
  });

  const ADDRESSES = [
    "",
    "not an address",
    "ftp://example.org/site.git",
    "file:///etc/passwd",
    "git@example.org:me/site.git",
    "https://me:secret@example.org/site.git",
    "--upload-pack=touch /tmp/x",
    "https://",
    "http://127.0.0.1:1/none.git",
  ];
  for (const url of ADDRESSES) {
    test(`with the repository “${url}”`, async () => {
      const answer = await api.post("/sites", { name: "X", slug: unique("u"), source: { git: { url } } });
      expect(answer).toMatchObject(problem(422, "invalid_input", "source.url"));
      expect(answer.body.detail).not.toContain("secret");
    });
  }

  for (const branch of ["-b", "a..b", "a b", "refs/", "x.lock", "a~1", "@"]) {
    test(`with the branch “${branch}”`, async () => {
      const source = { git: { url: "http://127.0.0.1:1/none.git", branch } };
      expect(await api.post("/sites", { name: "X", slug: unique("b"), source })).toMatchObject(problem(422, "invalid_input", "source.branch"));
    });
  }

  test("with a source of no known kind", async () => {
    for (const source of [{ template: "nothing" }, { zip: {} }, {}, "static", null]) {
      const answer = await api.post("/sites", { name: "X", slug: unique("s"), source });
      expect(answer, JSON.stringify(source)).toMatchObject({ status: 422, body: { code: "invalid_input" } });
    }
  });

  test("and nothing of it is left", async () => {
    expect((await api.get("/sites")).body).toEqual({ items: [], next_cursor: null });
  });
});

test("JSON that is broken is told with its place", async () => {
  expect(await api.post("/sites", '{"name": "x",\n oops')).toMatchObject(problem(400, "bad_json"));
  expect(await api.post("/sites", "")).toMatchObject(problem(400, "bad_json"));
  const form = await api.send("POST", "/sites", "name=x", { "content-type": "application/x-www-form-urlencoded" });
  expect(form).toMatchObject(problem(415, "unsupported_media_type"));
});

test("a body of 30 MB is refused, and the platform stays well", async () => {
  const large = JSON.stringify({ name: "x".repeat(30_000_000), source: { template: "static" } });
  expect(await api.post("/sites", large)).toMatchObject(problem(413, "too_large"));
  expect(await new Api().post("/auth/register", large)).toMatchObject(problem(413, "too_large"));
  expect(await deliver(large, { secret: "x" })).toMatchObject(problem(413, "too_large"));
  const ready = await fetch(`http://127.0.0.1:${platform().port}/ready`);
  expect(ready.status).toBe(200);
});

test("what is not there is told as a problem", async () => {
  expect(await api.get("/nothing")).toMatchObject(problem(404, "not_found"));
  expect(await api.get("/sites/not-an-id")).toMatchObject({ status: 404 });
  expect(await api.get(`/sites/${crypto.randomUUID()}`)).toMatchObject(problem(404, "not_found"));
  expect(await api.delete("/sites")).toMatchObject(problem(405, "method_not_allowed"));
});

test.describe("a site from a Git repository", () => {
  test.describe.configure({ mode: "serial", timeout: 180_000 });

  const name = unique("repo");
  const slug = unique("shop");
  const server = new GitServer();
  let repository: string;
  let url: string;
  let site: any;
  let first: any;

  test.beforeAll(async () => {
    repository = await newRepository(name);
    await server.listen();
    url = server.url(name);
  });
  test.afterAll(() => server.close());

  /** Commits and announces it as a forge would, to the platform's one address. */
  async function push(message: string, changes: Parameters<typeof commit>[2]): Promise<any> {
    const id = await commit(repository, message, changes);
    const answer = await announce({ repository: url, secret: site.webhook.secret, commit: id, message });
    expect(answer).toMatchObject({ status: 202, body: { outcome: "queued" } });
    return api.ended(answer.body.deployment_id);
  }

  test("is refused while the branch is not there", async () => {
    await commit(repository, "Begin", plainSite("first"));
    const answer = await api.post("/sites", { name: "Shop", slug, source: { git: { url, branch: "missing" } } });
    expect(answer).toMatchObject(problem(422, "invalid_input", "source.branch"));
  });

  test("is made, and its first deployment goes live", async () => {
    const answer = await api.post("/sites", { name: "Shop", slug, source: { git: { url } } });
    expect(answer.status).toBe(201);
    site = answer.body;
    expect(site).toMatchObject({
      slug,
      url: `http://${slug}.localhost:${platform().proxyPort}`,
      status: "deploying",
      repository: { kind: "remote", clone_url: url, branch: "main" },
      webhook: { secret: expect.stringMatching(/^\S{32,}$/) },
    });
    first = await api.live(site.deployment_id);
    expect(first).toMatchObject({ trigger: "create", message: "Begin", author: "Grace Hopper", error: null });
    expect(first.steps.map((step: any) => step.name)).toEqual(["fetch", "build", "start", "verify", "switch", "drain"]);
    expect(await visit(slug)).toEqual({ status: 200, text: "first" });
  });

  test("is listed and shown, without its secret", async () => {
    const list = await api.get("/sites?limit=1");
    expect(list.body.items[0]).toMatchObject({ id: site.id, status: "live" });
    const shown = await api.get(`/sites/${site.id}`);
    expect(shown.body.webhook).toEqual({ url: `${platform().url}/webhook/customer-site/${site.id}` });
    expect(shown.body.services).toMatchObject([{ name: "www", status: "running", route: "/", port: 8080 }]);
    const all = await api.get(`/sites/${site.id}/deployments`);
    expect(all.body.items).toMatchObject([{ id: site.deployment_id, number: 1, is_current: true }]);
  });

  test("has a log, in pieces, as a stream of events, and as a file", async () => {
    const lines = await api.log(first.id);
    expect(lines.map((line) => line.seq)).toEqual(lines.map((_, index) => index + 1));
    const half = lines[Math.floor(lines.length / 2)]?.seq ?? 0;
    const rest = await api.get(`/deployments/${first.id}/log?after=${half}`);
    expect(rest.body).toEqual({ items: lines.slice(half), complete: true });
    const events = await api.send("GET", `/deployments/${first.id}/log`, undefined, { accept: "text/event-stream" });
    expect([...events.body.matchAll(/^id: ?(\d+)$/gm)].map((id) => Number(id[1]))).toEqual(lines.map((line) => line.seq));
    expect(events.body).toContain("event: complete");
    const file = await api.send("GET", `/deployments/${first.id}/log`, undefined, { accept: "text/plain" });
    expect(file.body).toBe(lines.map((line) => `${line.text}\n`).join(""));
  });

  test("keeps its address: another site cannot take it", async () => {
    const other = await Api.register();
    const answer = await other.post("/sites", { name: "Shop", slug, source: { template: "static" } });
    expect(answer).toMatchObject(problem(409, "slug_taken", "slug"));
  });

  test("is nobody else's business", async () => {
    const other = await Api.register();
    const missing = await other.get(`/sites/${crypto.randomUUID()}`);
    for (const [method, path] of [
      ["GET", `/sites/${site.id}`],
      ["PATCH", `/sites/${site.id}`],
      ["DELETE", `/sites/${site.id}`],
      ["GET", `/sites/${site.id}/deployments`],
      ["POST", `/sites/${site.id}/deployments`],
      ["GET", `/deployments/${first.id}`],
      ["GET", `/deployments/${first.id}/log`],
      ["POST", `/deployments/${first.id}/redeploy`],
      ["POST", `/deployments/${first.id}/rollback`],
      ["POST", `/deployments/${first.id}/cancel`],
    ] as const) {
      const answer = await other.send(method, path, method === "PATCH" ? { name: "Mine" } : undefined);
      expect(answer, `${method} ${path}`).toMatchObject({ status: missing.status, body: { code: missing.body.code } });
    }
    expect((await other.get("/sites")).body.items).toEqual([]);
  });

  test("is deployed by a push that names its repository", async () => {
    const deployment = await push("Second", plainSite("second"));
    expect(deployment).toMatchObject({ status: "live", trigger: "webhook", message: "Second", number: 2 });
    expect((await visit(slug)).text).toBe("second");
  });

  test("keeps serving when its Dockerfile does not build", async () => {
    const onlooker = new Onlooker(slug);
    const failed = await push("Break it", { Dockerfile: "FROM debian:bookworm-slim\nRUN exit 7\n" });
    expect(failed).toMatchObject({ status: "failed", error: { code: "build_failed", step: "build", service: "www" } });
    expect(failed.error.message).toMatch(/7/);
    expect(await onlooker.leave()).toEqual([]);
    expect((await visit(slug)).text).toBe("second");
  });

  test("keeps serving when its Dockerfile is none", async () => {
    const failed = await push("Nonsense", { Dockerfile: "BAKE a cake\n" });
    expect(failed).toMatchObject({ status: "failed", error: { code: "build_failed", step: "build", service: "www" } });
    expect((await visit(slug)).text).toBe("second");
  });

  test("keeps serving when its program listens nowhere, and is told its last lines", async () => {
    const onlooker = new Onlooker(slug);
    const failed = await push("Say nothing", { ...plainSite("deaf"), ...deafSite() });
    expect(failed).toMatchObject({ status: "failed", error: { code: "not_listening", step: "verify", service: "www" } });
    expect(failed.error.message).toContain("8080");
    expect((await api.log(failed.id)).map((line) => line.text)).toContain("waiting for nobody");
    expect(await onlooker.leave()).toEqual([]);
    expect((await visit(slug)).text).toBe("second");
    expect(await labelled(`webmeteor.deployment=${failed.id}`)).toEqual([]);
  });

  test("is what it was after all that", async () => {
    expect((await api.get(`/sites/${site.id}`)).body).toMatchObject({
      status: "live",
      services: [{ name: "www", status: "running" }],
      latest_deployment: { number: 5, status: "failed" },
    });
    const all = await api.get(`/sites/${site.id}/deployments?limit=2`);
    expect(all.body.items.map((item: any) => item.number)).toEqual([5, 4]);
    const older = await api.get(`/sites/${site.id}/deployments?cursor=${all.body.next_cursor}`);
    expect(older.body.items.map((item: any) => item.number)).toEqual([3, 2, 1]);
  });

  test("takes only deployments that make sense", async () => {
    const bad = await api.post(`/sites/${site.id}/deployments`, { commit: "--output=/tmp/x" });
    expect(bad).toMatchObject(problem(422, "invalid_input", "commit"));
    const nowhere = await api.post(`/sites/${site.id}/deployments`, { environment: "moon" });
    expect(nowhere).toMatchObject(problem(422, "invalid_input", "environment"));
    expect(await api.post(`/deployments/${first.id}/cancel`)).toMatchObject(problem(409, "not_cancellable"));
  });

  test("goes back to an earlier release, and on to the same commit again", async () => {
    const back = await api.post(`/deployments/${first.id}/rollback`);
    expect(back.status).toBe(202);
    expect(await api.live(back.body.id)).toMatchObject({ trigger: "rollback" });
    expect((await visit(slug)).text).toBe("first");
    expect(await api.post(`/deployments/${back.body.id}/rollback`)).toMatchObject(problem(409, "already_current"));
  });

  test("can be cancelled while it deploys", async () => {
    const begun = await api.post(`/sites/${site.id}/deployments`);
    expect(begun.status).toBe(202);
    const cancelled = await api.post(`/deployments/${begun.body.id}/cancel`);
    expect(cancelled.status).toBe(202);
    expect(await api.ended(begun.body.id)).toMatchObject({ status: "cancelled" });
    expect((await visit(slug)).text).toBe("first");
  });

  test("gets another name, and keeps its address", async () => {
    const renamed = await api.patch(`/sites/${site.id}`, { name: "Corner shop" });
    expect(renamed).toMatchObject({ status: 200, body: { name: "Corner shop", slug } });
  });

  test("is deleted, and leaves nothing behind", async () => {
    expect((await api.delete(`/sites/${site.id}`)).status).toBe(202);
    await until("the site to be gone", async () => (await api.get(`/sites/${site.id}`)).status === 404);
    expect(await remains(site)).toEqual([]);
    expect((await visit(slug)).status).toBe(404);
    expect((await api.get("/sites")).body.items).toEqual([]);
    expect((await api.get(`/deployments/${first.id}`)).status).toBe(404);
    const late = await announce({ site: site.id, secret: site.webhook.secret, commit: first.commit });
    expect(late).toMatchObject(problem(401, "bad_signature"));
  });
});

test("health tells that the platform lives, and its metrics are not for everybody", async () => {
  const at = (path: string, headers = {}) => fetch(`http://127.0.0.1:${platform().port}${path}`, { headers }).then(readAnswer);
  expect(await at("/health")).toMatchObject({ status: 200, body: { status: "ok" } });
  expect((await at("/metrics")).body).toContain("# TYPE");
  expect((await at("/metrics", { "x-forwarded-for": "203.0.113.9" })).status).toBe(404);
});
