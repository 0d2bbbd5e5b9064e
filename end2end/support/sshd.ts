// OpenSSH's own server, on the loopback, for repositories over SSH.

import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { platform } from "./platform";
import { run } from "./run";
import { until } from "./until";

export class SshServer {
  private readonly folder = fs.mkdtempSync(path.join(platform().scratch, "sshd-"));
  private program: ChildProcess | undefined;
  private port = 0;

  async listen(): Promise<this> {
    const key = path.join(this.folder, "host_key");
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key]);
    this.port = await freePort();
    this.authorize("");
    const settings = [
      `Port ${this.port}`,
      "ListenAddress 127.0.0.1",
      `HostKey ${key}`,
      `AuthorizedKeysFile ${path.join(this.folder, "authorized_keys")}`,
      "PidFile none",
      "UsePAM no",
      "StrictModes no",
      "PasswordAuthentication no",
      "KbdInteractiveAuthentication no",
      "PermitRootLogin yes",
    ];
    fs.writeFileSync(path.join(this.folder, "sshd_config"), `${settings.join("\n")}\n`);
    // The server wants this folder where it runs as root; the package's service makes it.
    if (os.userInfo().uid === 0) fs.mkdirSync("/run/sshd", { recursive: true });
    const settingsFile = path.join(this.folder, "sshd_config");
    this.program = spawn("/usr/sbin/sshd", ["-D", "-e", "-f", settingsFile], { stdio: "ignore" });
    await until("sshd answers", () => answers(this.port));
    return this;
  }

  /** This key alone is let in. */
  authorize(publicKey: string): void {
    fs.writeFileSync(path.join(this.folder, "authorized_keys"), publicKey ? `restrict ${publicKey}\n` : "");
  }

  /** The address of a repository. */
  url(repository: string): string {
    return `ssh://${os.userInfo().username}@127.0.0.1:${this.port}${repository}`;
  }

  close(): void {
    this.program?.kill("SIGKILL");
  }
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => done(port));
    });
  });
}

function answers(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.once("connect", () => done(true)).once("error", () => done(false));
    socket.once("close", () => socket.destroy());
    socket.once("data", () => socket.destroy());
  });
}
