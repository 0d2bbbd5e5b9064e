// A client of the REST API, as a script would write one.

import { randomBytes } from "node:crypto";
import { platform } from "./platform";
import { until } from "./until";

/** An answer; a body that is no JSON is a string. */
export interface Answer<T = any> {
  status: number;
  type: string;
  body: T;
}

/** An account, ready to sign in. */
export interface Account {
  name: string;
  email: string;
  password: string;
}

export const ENDED = ["live", "failed", "cancelled", "superseded"];

/** Letters and digits that nobody else uses. */
export const unique = (word: string) => `${word}-${randomBytes(4).toString("hex")}`;

/** Somebody who was never here before. */
export function newAccount(name = "Ada Byron"): Account {
  return { name, email: `${unique("ada")}@example.org`, password: `${randomBytes(12).toString("base64url")} horses` };
}

export class Api {
  constructor(readonly token?: string) {}

  /** Somebody new, signed in. */
  static async register(account = newAccount()): Promise<Api> {
    const answer = await new Api().post("/auth/register", account);
    if (answer.status !== 201) throw new Error(JSON.stringify(answer));
    return new Api(answer.body.access_token);
  }

  /** Signs in with an address and a password. */
  static async signIn(account: Account): Promise<Api> {
    const answer = await new Api().post("/auth/token", { email: account.email, password: account.password });
    if (answer.status !== 200) throw new Error(JSON.stringify(answer));
    return new Api(answer.body.access_token);
  }

  get = (path: string) => this.send("GET", path);
  post = (path: string, body?: unknown) => this.send("POST", path, body);
  patch = (path: string, body: unknown) => this.send("PATCH", path, body);
  delete = (path: string) => this.send("DELETE", path);

  /** Sends a request; a string is sent as it is, everything else as JSON. */
  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const answer = await fetch(`http://127.0.0.1:${platform().port}/api/v1${path}`, {
      method,
      headers: {
        ...(this.token ? { authorization: `Bearer ${this.token}` } : {}),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      body: body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body),
    });
    return readAnswer(answer);
  }

  /** Waits until a deployment has ended in whatever way. */
  async ended(deployment: string): Promise<any> {
    return until(
      `the end of deployment ${deployment}`,
      async () => {
        const { body } = await this.get(`/deployments/${deployment}`);
        return ENDED.includes(body.status) ? body : undefined;
      },
      180,
    );
  }

  /** Waits until a deployment is live; one that is not says why. */
  async live(deployment: string): Promise<any> {
    const ended = await this.ended(deployment);
    if (ended.status === "live") return ended;
    const log = (await this.log(deployment)).map((line) => line.text).join("\n");
    throw new Error(`The deployment is ${ended.status}: ${JSON.stringify(ended.error, null, 2)}\n${log}`);
  }

  /** The whole log of a deployment that has ended. */
  async log(deployment: string): Promise<{ seq: number; stream: string; text: string }[]> {
    const lines = [];
    for (;;) {
      const after = lines.at(-1)?.seq ?? 0;
      const { body } = await this.get(`/deployments/${deployment}/log?after=${after}`);
      lines.push(...body.items);
      if (body.complete) return lines;
    }
  }
}

export async function readAnswer(answer: Response): Promise<Answer> {
  const text = await answer.text();
  const type = answer.headers.get("content-type") ?? "";
  return { status: answer.status, type, body: type.includes("json") ? JSON.parse(text) : text };
}
