// Many who watch at once: one event to all of them, and many events to ten rooms; time and memory.
//
//   BENCH_CLIENTS=5000 BENCH_EVENTS=1000 BENCH_ROOMS=10 scripts/bench sockets
//
// The clients speak Socket.IO over WebSockets from one program, 127.0.0.1. Each follows one site; with the platform
// that is checked, and an event goes through the outbox in PostgreSQL. The alternative is Node's socket.io with as many
// rooms, told by its parent process what to emit; nothing is checked there and nothing stored.

import { fork } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import { bench, count, ms, ratio, table, until } from "./lib/bench.mjs";
import { start } from "./lib/platform.mjs";

const CLIENTS = count("CLIENTS", 5000);
const EVENTS = count("EVENTS", 1000);
const ROOMS = count("ROOMS", 10);
/** So many connect at the same time. */
const AT_ONCE = 50;

const require = createRequire(import.meta.url);

/** The alternative, in a process of its own. */
function serve() {
  const { Server } = require("socket.io");
  const io = new Server({ transports: ["websocket"], perMessageDeflate: false });
  io.on("connection", (socket) => {
    socket.on("subscribe", ({ site_id }, ack) => {
      socket.join(site_id);
      ack({ ok: true });
    });
  });
  io.listen(0);
  process.on("message", ({ room, event, payload }) => (room ? io.to(room) : io).emit(event, payload));
  process.send(io.httpServer.address().port);
}

/** Watchers in a process of their own, so that their work is not the measuring's. */
function watch(port, auth, rooms) {
  const { io } = require("socket.io-client");
  let received = 0;
  const connect = (number) =>
    new Promise((done, failed) => {
      const socket = io(`http://127.0.0.1:${port}`, {
        transports: ["websocket"],
        forceNew: true,
        reconnection: false,
        auth,
      });
      socket.on("connect_error", failed);
      socket.on("deployment", () => (received += 1));
      socket.on("site", () => (received += 1));
      socket.on("connect", () => {
        socket.emit("subscribe", { site_id: rooms[number % rooms.length] }, (answer) =>
          answer.ok ? done() : failed(new Error(JSON.stringify(answer))),
        );
      });
    });
  const all = async () => {
    let next = 0;
    const some = async () => {
      while (next < CLIENTS) await connect(next++);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, some));
    process.send({ connected: true });
  };
  all().catch((error) => {
    process.send({ failed: String(error.description ?? error) });
  });
  let wanted;
  setInterval(() => {
    if (wanted !== undefined && received >= wanted) {
      wanted = undefined;
      process.send({ received });
    }
  }, 1);
  process.on("message", (number) => {
    received = 0;
    wanted = number;
    process.send({ ready: true });
  });
}

const memory = (pid) => Number(/^VmRSS:\s+(\d+) kB/m.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;

/** Connects everybody, then measures both; `toAll` and `toRooms` tell the server what to emit. */
async function measure(defer, { port, pid, auth, rooms, toAll, toRooms }) {
  const before = memory(pid);
  const watchers = fork(import.meta.filename, ["watch", String(port), JSON.stringify(auth), JSON.stringify(rooms)]);
  defer(() => watchers.kill("SIGKILL"));
  const told = (what) =>
    new Promise((done, failed) => {
      const listen = (message) => {
        if (message.failed) failed(new Error(`a watcher: ${message.failed}`));
        if (!message[what]) return;
        watchers.off("message", listen);
        done();
      };
      watchers.on("message", listen);
      watchers.once("exit", () => failed(new Error("the watchers ended")));
    });
  const begun = performance.now();
  await told("connected");
  const connecting = performance.now() - begun;
  const held = memory(pid) - before;
  const deliver = async (number, emit) => {
    const ready = told("ready");
    watchers.send(number);
    await ready;
    const received = told("received");
    const from = performance.now();
    await emit();
    await received;
    return performance.now() - from;
  };
  const all = await deliver(CLIENTS, toAll);
  const some = await deliver((EVENTS * CLIENTS) / ROOMS, toRooms);
  const most = memory(pid);
  watchers.kill("SIGKILL");
  return { connecting, held, all, some, most };
}

async function main(defer) {
  const platform = await start(defer);
  const team = (await platform.api("GET", "/teams")).items?.[0]?.id ?? (await platform.api("GET", "/teams"))[0].id;
  const sites = [];
  for (let number = 0; number < ROOMS; number++)
    sites.push((await platform.api("POST", "/sites", { name: `Room ${number}`, source: { hosted: {} } })).id);
  await until("the platform to be idle", async () => {
    const open = "select count(*) from deployments where finished_at is null";
    return Number((await platform.sql(open))[0][0]) === 0;
  });
  const insert = (payload, rows) =>
    platform.sql(
      `with added as (insert into events (team_id, payload) select '${team}', ${payload} from ${rows} returning id)
       select count(pg_notify('webmeteor_events', id::text)) from added`,
    );
  const deployment = (site) =>
    `jsonb_build_object('kind', 'deployment', 'id', gen_random_uuid(), 'site_id', ${site}, 'status', 'building', 'step', 'build')`;
  const list = `(array[${sites.map((id) => `'${id}'`)}])[1 + n % ${ROOMS}]`;
  const ours = await measure(defer, {
    port: platform.port,
    pid: platform.pid,
    auth: { token: platform.token() },
    rooms: sites,
    // A site's own event goes to everybody who may see it.
    toAll: () => insert(`jsonb_build_object('kind', 'site', 'id', '${sites[0]}'::text, 'status', 'changed')`, "generate_series(1, 1) n"),
    toRooms: () => insert(deployment(list), `generate_series(1, ${EVENTS}) n`),
  });

  const node = fork(import.meta.filename, ["serve"]);
  defer(() => node.kill("SIGKILL"));
  const port = await new Promise((done) => node.once("message", done));
  const payload = { id: sites[0], site_id: sites[0], status: "building", step: "build", at: new Date().toISOString() };
  const theirs = await measure(defer, {
    port,
    pid: node.pid,
    auth: {},
    rooms: sites,
    toAll: () => node.send({ event: "site", payload: { id: sites[0], status: "changed" } }),
    toRooms: () => {
      for (let number = 0; number < EVENTS; number++)
        node.send({ room: sites[number % ROOMS], event: "deployment", payload });
    },
  });

  const megabytes = (value) => `${value.toFixed(0)} MB`;
  const rows = [
    ["WebMeteor", ours],
    ["Node's socket.io", theirs],
  ];
  table(`${CLIENTS} clients, ${EVENTS} events to ${ROOMS} rooms (${(EVENTS * CLIENTS) / ROOMS} deliveries)`, [
    ["", "all connected", "memory for them", "one event to all", "events to rooms", "memory then"],
    ...rows.map(([name, it]) => [name, ms(it.connecting), megabytes(it.held), ms(it.all), ms(it.some), megabytes(it.most)]),
    [
      "ratio",
      ...["connecting", "held", "all", "some", "most"].map((what) => ratio(ours[what], theirs[what])),
    ],
  ]);
}

if (process.argv[2] === "serve") serve();
else if (process.argv[2] === "watch") watch(Number(process.argv[3]), JSON.parse(process.argv[4]), JSON.parse(process.argv[5]));
else await bench(main);
