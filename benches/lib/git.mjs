// Git repositories over HTTP by Git's own program for web servers, `git http-backend`: what stands between a careful
// person's clone and the machine.

import { spawn } from "node:child_process";
import http from "node:http";

/** Serves the repositories in a folder to whoever has the password, until the bench ends; answers their address. */
export async function serveGit(defer, folder, password) {
  const expected = `Basic ${Buffer.from(`bench:${password}`).toString("base64")}`;
  const server = http.createServer((request, answer) => {
    if (request.headers.authorization !== expected) {
      answer.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end();
      return;
    }
    const { pathname, search } = new URL(request.url, "http://localhost");
    const backend = spawn("git", ["http-backend"], {
      env: {
        PATH: process.env.PATH,
        GIT_PROJECT_ROOT: folder,
        GIT_HTTP_EXPORT_ALL: "1",
        REMOTE_USER: "bench",
        REQUEST_METHOD: request.method,
        PATH_INFO: pathname,
        QUERY_STRING: search.slice(1),
        CONTENT_TYPE: request.headers["content-type"] ?? "",
        CONTENT_LENGTH: request.headers["content-length"] ?? "",
        HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
        GIT_PROTOCOL: request.headers["git-protocol"] ?? "",
      },
      stdio: ["pipe", "pipe", "inherit"],
    });
    request.pipe(backend.stdin);
    relay(backend.stdout, answer);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  defer(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://bench:${password}@127.0.0.1:${server.address().port}`;
}

/** The program's answer begins with header lines, as a CGI program's does (RFC 3875, section 6). */
function relay(output, answer) {
  let head = Buffer.alloc(0);
  output.on("data", (piece) => {
    if (answer.headersSent) {
      answer.write(piece);
      return;
    }
    head = Buffer.concat([head, piece]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    let status = 200;
    for (const line of head.subarray(0, end).toString().split("\r\n")) {
      const [, name, value] = /^([^:]+):\s*(.*)$/.exec(line);
      if (name.toLowerCase() === "status") status = Number.parseInt(value, 10);
      else answer.setHeader(name, value);
    }
    answer.writeHead(status);
    answer.write(head.subarray(end + 4));
  });
  output.on("end", () => answer.end());
}
