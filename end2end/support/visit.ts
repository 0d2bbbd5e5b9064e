// Visitors of a site, without a browser: requests to the proxy under the site's own name.

import http from "node:http";
import { platform } from "./platform";

/** Asks a site for a page. */
export function visit(slug: string, path = "/"): Promise<{ status: number; text: string }> {
  return visitHost(`${slug}.localhost`, path);
}

/** Asks the proxy for a page of this host. */
export function visitHost(host: string, path = "/"): Promise<{ status: number; text: string }> {
  return new Promise((done, failed) => {
    const request = http.get(
      {
        host: "127.0.0.1",
        port: platform().proxyPort,
        path,
        headers: { host: `${host}:${platform().proxyPort}` },
        agent: false,
        timeout: 10_000,
      },
      (answer) => {
        let text = "";
        answer.setEncoding("utf8");
        answer.on("data", (piece: string) => (text += piece));
        answer.on("end", () => done({ status: answer.statusCode ?? 0, text }));
        answer.on("error", failed);
      },
    );
    request.on("timeout", () => request.destroy(new Error("no answer within 10 s")));
    request.on("error", failed);
  });
}

/** Somebody who keeps looking at a site, and remembers every answer that was not the page. */
export class Onlooker {
  answers = 0;
  failures: string[] = [];
  private looking = true;
  private readonly done: Promise<void>;

  constructor(slug: string, paths = ["/"]) {
    this.done = this.look(slug, paths);
  }

  private async look(slug: string, paths: string[]): Promise<void> {
    while (this.looking) {
      for (const path of paths) {
        const began = new Date().toISOString();
        await visit(slug, path).then(
          ({ status }) => status === 200 || this.failures.push(`${began} ${path}: ${status}`),
          (error: Error) => this.failures.push(`${began} ${path}: ${error.message}`),
        );
        this.answers += 1;
      }
    }
  }

  /** Goes away; the answer says what went wrong meanwhile. */
  async leave(): Promise<string[]> {
    this.looking = false;
    await this.done;
    return this.failures;
  }
}
