// Sites that are quick to build: nothing is installed in their images.

import { randomUUID } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { labelled } from "./docker";
import { platform } from "./platform";

/** A program that answers every request with its text, and at `/busy` with 503. Perl is in every Debian image. */
const server = (text: string) => `
use IO::Socket::INET;
$SIG{TERM} = sub { exit 0 };
my $server = IO::Socket::INET->new(LocalPort => 8080, Listen => 16, ReuseAddr => 1) or die $!;
while (1) {
  my $visitor = $server->accept() or next;
  my $status = "200 OK";
  while (my $line = <$visitor>) {
    $status = "503 Service Unavailable" if $line =~ m{^GET /busy };
    last if $line =~ /^\\r?$/;
  }
  my $text = "${text}";
  print $visitor "HTTP/1.1 $status\\r\\nContent-Length: " . length($text) . "\\r\\nConnection: close\\r\\n\\r\\n$text";
  close $visitor;
}
`;

const dockerfile = (build: string) => `
FROM debian:bookworm-slim
COPY . /srv
${build}
EXPOSE 8080
CMD ["perl", "/srv/server.pl"]
`;

/** A site that answers with this text. */
export const plainSite = (text: string) => ({ Dockerfile: dockerfile(""), "server.pl": server(text) });

/** A site whose build prints numbered lines in red for a while, and is never found in the cache. */
export const chattySite = (lines: number) => ({
  Dockerfile: dockerfile(`RUN i=0; while [ $i -lt ${lines} ]; do i=$((i+1)); printf "\\033[31mline $i of ${lines}\\033[0m\\n"; sleep 0.01; done`),
  "server.pl": server("chatty"),
  nonce: randomUUID(),
});

/** Prints so many lines at once while it is built. */
export const longSite = (lines: number) => ({
  Dockerfile: dockerfile(`RUN seq -f "line %.0f of ${lines}" 1 ${lines}`),
  "server.pl": server("long"),
  nonce: randomUUID(),
});

/** A program that runs, says so, and listens nowhere. */
export const deafSite = () => ({
  "server.pl": `$| = 1; $SIG{TERM} = sub { exit 0 }; print "waiting for nobody\\n"; sleep 1 while 1;`,
  "webmeteor.toml": `
[services.www]
build = "."
port = 8080
healthcheck = { path = "/", start_period = "3s" }
`,
});

/** All that is left of a site on the machine: in Docker, among the proxy's routes, in the data folder. */
export async function remains(site: { id: string; slug: string }): Promise<string[]> {
  const { data } = platform();
  const left = await labelled(`webmeteor.site=${site.id}`);
  const routes = path.join(data, "proxy");
  for (const file of fs.readdirSync(routes)) {
    if (fs.readFileSync(path.join(routes, file), "utf8").includes(`${site.slug}.localhost`)) left.push(`route ${file}`);
  }
  for (const folder of ["sites", "repositories", "builds"]) {
    const from = path.join(data, folder);
    const names = fs.existsSync(from) ? (fs.readdirSync(from, { recursive: true }) as string[]) : [];
    left.push(...names.filter((name) => name.includes(site.id)).map((name) => `file ${folder}/${name}`));
  }
  return left;
}
