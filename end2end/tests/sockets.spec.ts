// Live events, as programs get them: the official Socket.IO client, unchanged.

import { io, type Socket } from "socket.io-client";
import { Api, unique } from "../support/api";
import { commit, GitServer, newRepository } from "../support/git";
import { platform } from "../support/platform";
import { chattySite } from "../support/sites";
import { expect, test } from "../support/test";
import { until } from "../support/until";

test.describe.configure({ mode: "serial" });

const LINES = 300;
const server = new GitServer();
let api: Api;
let site: any;

test.beforeAll(async () => {
  const name = unique("chatty");
  const repository = await newRepository(name);
  await commit(repository, "Begin", chattySite(LINES));
  await server.listen();
  api = await Api.register();
  const made = await api.post("/sites", { name: "Chatty", slug: name, source: { git: { url: server.url(name) } } });
  expect(made.status).toBe(201);
  site = made.body;
});

test.afterAll(() => server.close());

/** A client of its own connection. */
const connect = (options: object = {}) =>
  io(`http://127.0.0.1:${platform().port}`, { forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 100, ...options });

/** Why a connection was refused. */
function refusal(options: object): Promise<string> {
  const socket = connect({ reconnection: false, ...options });
  return new Promise<string>((done, failed) => {
    socket.on("connect", () => failed(new Error("it was let in")));
    socket.on("connect_error", (error) => done(error.message));
  }).finally(() => socket.disconnect());
}

/** Follows a deployment as a careful program does: after each connect it asks from the last line it has. */
class Follower {
  lines: { seq: number; text: string }[] = [];
  statuses: string[] = [];
  connects = 0;
  readonly socket: Socket;

  constructor(
    readonly deployment: string,
    options: object,
  ) {
    this.socket = connect({ auth: { token: api.token }, ...options });
    this.socket.on("connect", async () => {
      this.connects += 1;
      const after = this.lines.at(-1)?.seq ?? 0;
      const answer = await this.socket.emitWithAck("subscribe", { deployment_id: deployment, after });
      expect(answer).toEqual({ ok: true });
    });
    this.socket.on("deployment", (event) => {
      if (event.id === deployment && this.statuses.at(-1) !== event.status) this.statuses.push(event.status);
    });
    this.socket.on("deployment.log", (event) => {
      expect(event.id).toBe(deployment);
      expect(event.from).toBe(event.items[0].seq);
      this.lines.push(...event.items);
    });
  }

  /** Waits until so many lines came. */
  async has(count: number): Promise<void> {
    await until(`${count} lines`, () => this.lines.length >= count, 90);
  }

  /** What a network does that fails: the connection is gone without a word. */
  async lose(): Promise<void> {
    const before = this.connects;
    this.socket.io.engine.close();
    await until("the client to be back", () => this.connects > before, 20);
  }
}

test("nobody connects without a session or a token", async () => {
  expect(await refusal({})).toBe("unauthenticated");
  expect(await refusal({ auth: { token: "not.a.token" } })).toBe("unauthenticated");
  expect(await refusal({ auth: { token: `${api.token}x` } })).toBe("unauthenticated");
});

test("a deployment is followed without loss or doubles, over lost connections", async () => {
  test.setTimeout(180_000);
  const followers = [{ transports: ["websocket"] }, { transports: ["polling"] }, {}].map(
    (options) => new Follower(site.deployment_id, options),
  );
  const [quick, slow, usual] = followers as [Follower, Follower, Follower];
  await Promise.all(followers.map((follower) => follower.has(40)));
  await quick.lose();
  await slow.lose();
  await quick.has(120);
  await quick.lose();
  await usual.lose();

  await api.live(site.deployment_id);
  const log = await api.log(site.deployment_id);
  expect(log.length).toBeGreaterThan(LINES);
  for (const follower of followers) {
    await follower.has(log.length);
    expect(follower.lines).toEqual(log);
    await until("the news that it is live", () => follower.statuses.at(-1) === "live", 20);
    follower.socket.disconnect();
  }
  expect(usual.statuses.filter((status) => status === "live")).toHaveLength(1);
});

test("who comes late asks for what is missing, and gets it once", async () => {
  const log = await api.log(site.deployment_id);
  const late = new Follower(site.deployment_id, {});
  await late.has(log.length);
  expect(late.lines).toEqual(log);
  late.socket.disconnect();
});

test("a site tells of its deployments to those who follow it", async () => {
  test.setTimeout(120_000);
  const socket = connect({ auth: { token: api.token } });
  const all: { id: string; site_id: string; status: string }[] = [];
  socket.on("deployment", (event) => all.push(event));
  expect(await socket.emitWithAck("subscribe", { site_id: site.id })).toEqual({ ok: true });
  const next = await api.post(`/deployments/${site.deployment_id}/redeploy`);
  expect(next.status).toBe(202);
  /** What was told of the new deployment, without repeats; the one before may still let its visitors go. */
  const statuses = () => {
    const own = all.filter((event) => event.id === next.body.id).map((event) => event.status);
    return own.filter((status, index) => status !== own[index - 1]);
  };
  await until("the news that it is live", () => statuses().at(-1) === "live", 90);
  expect(statuses()).toEqual(["queued", "fetching", "building", "starting", "verifying", "switching", "live"]);
  expect(all.every((event) => event.site_id === site.id)).toBe(true);
  socket.disconnect();
});

test("what belongs to another team is not there", async () => {
  const stranger = await Api.register();
  const socket = connect({ auth: { token: stranger.token } });
  const heard: unknown[] = [];
  socket.onAny((...event) => heard.push(event));
  for (const target of [{ site_id: site.id }, { deployment_id: site.deployment_id, after: 0 }]) {
    expect(await socket.emitWithAck("subscribe", target)).toEqual({ ok: false, error: "not_found" });
  }
  for (const target of [{}, { site_id: "x" }, { deployment_id: site.deployment_id, after: -1 }, 7, null]) {
    expect(await socket.emitWithAck("subscribe", target)).toEqual({ ok: false, error: "bad_request" });
  }
  expect(heard).toEqual([]);
  socket.disconnect();
});
