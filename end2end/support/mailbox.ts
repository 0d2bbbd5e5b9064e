// The mails that a platform under test writes into a folder (WEBMETEOR_MAIL=file:…).

import fs from "node:fs";
import path from "node:path";
import { until } from "./until";

/** Where links in mails lead: the pages' own addresses. */
export class Mailbox {
  constructor(private readonly folder: string) {}

  /** The mails to this address, the oldest first. */
  to(email: string): string[] {
    if (!fs.existsSync(this.folder)) return [];
    return fs
      .readdirSync(this.folder)
      .filter((name) => name.endsWith(".eml"))
      .sort()
      .map((name) => fs.readFileSync(path.join(this.folder, name), "utf8"))
      .map((text) => text.replaceAll("=\r\n", "").replaceAll("=3D", "="))
      .filter((text) => text.includes(`To: ${email}\r\n`));
  }

  /** The path and query of the link in the newest of at least so many mails to this address. */
  async link(email: string, atLeast = 1): Promise<string> {
    return until(`mail ${atLeast} to ${email}`, () => {
      const mails = this.to(email);
      const link = /https?:\/\/[^/\s]+(\/\S+\?token=\w+)/.exec(mails.at(-1) ?? "")?.[1];
      return mails.length >= atLeast ? link : undefined;
    });
  }
}
