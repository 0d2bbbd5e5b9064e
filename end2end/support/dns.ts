// A DNS server that knows the TXT records which tests set, and nothing else. It runs beside the platform; tests, which are
// other processes, tell it by a file.

import dgram from "node:dgram";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const VARIABLE = "WEBMETEOR_E2E_DNS";
const TXT = 16;
const NO_SUCH_NAME = 3;

type Texts = Record<string, string[]>;

/** Starts it on a free port. */
export async function serveDns(): Promise<{ address: string; close: () => void }> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "webmeteor-dns-"));
  const file = path.join(folder, "texts.json");
  fs.writeFileSync(file, "{}");
  process.env[VARIABLE] = file;
  const socket = dgram.createSocket("udp4");
  socket.on("message", (query, from) => {
    socket.send(answer(query, JSON.parse(fs.readFileSync(file, "utf8"))), from.port, from.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const close = () => {
    socket.close();
    fs.rmSync(folder, { recursive: true, force: true });
  };
  return { address: `127.0.0.1:${socket.address().port}`, close };
}

/** Sets the texts at a name; none: there is no such name. */
export function setTexts(name: string, texts: string[]): void {
  const file = process.env[VARIABLE];
  if (!file) throw new Error("The DNS server was not started: run the tests by scripts/e2e.");
  const all: Texts = { ...JSON.parse(fs.readFileSync(file, "utf8")), [name]: texts };
  // Whole or not at all: it may be read meanwhile.
  fs.writeFileSync(`${file}.new`, JSON.stringify(all));
  fs.renameSync(`${file}.new`, file);
}

/** The answer to a query (RFC 1035, section 4.1). */
function answer(query: Buffer, all: Texts): Buffer {
  const labels: string[] = [];
  let end = 12;
  for (let length = query[end] ?? 0; length > 0; length = query[end] ?? 0) {
    labels.push(query.toString("latin1", end + 1, end + 1 + length));
    end += 1 + length;
  }
  const question = query.subarray(12, end + 5);
  const kind = query.readUInt16BE(end + 1);
  const texts = all[labels.join(".").toLowerCase()] ?? [];
  const records = kind === TXT ? texts.map(record) : [];
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8180 | (texts.length > 0 ? 0 : NO_SUCH_NAME), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([header, question, ...records]);
}

/** A TXT record at the name that was asked for. */
function record(text: string): Buffer {
  const value = Buffer.from(text);
  const head = Buffer.alloc(13);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(TXT, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(60, 6);
  head.writeUInt16BE(value.length + 1, 10);
  head.writeUInt8(value.length, 12);
  return Buffer.concat([head, value]);
}
