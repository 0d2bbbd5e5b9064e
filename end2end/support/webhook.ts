// A forge that announces a push, in GitHub's words.

import { createHmac, randomUUID } from "node:crypto";
import { type Answer, readAnswer } from "./api";
import { platform } from "./platform";

/** A push, and how it is sent. */
export interface Push {
  /** Of the site; with `url` the site is found by the repository instead. */
  site?: string;
  secret: string;
  commit: string;
  message?: string;
  branch?: string;
  repository?: string;
  delivery?: string;
}

/** Signs the push and sends it. */
export async function announce(push: Push): Promise<Answer> {
  const { commit, message = "A change", branch = "main", repository = "https://github.com/grace/site.git" } = push;
  const author = { name: "Grace Hopper", email: "grace@example.org", username: "grace" };
  const body = JSON.stringify({
    ref: `refs/heads/${branch}`,
    before: "0".repeat(40),
    after: commit,
    created: false,
    deleted: false,
    forced: false,
    head_commit: { id: commit, message, author, committer: author, timestamp: new Date().toISOString() },
    commits: [],
    repository: {
      id: 1,
      name: "site",
      full_name: "grace/site",
      clone_url: repository,
      html_url: repository.replace(/\.git$/, ""),
      default_branch: "main",
    },
    pusher: { name: "grace", email: "grace@example.org" },
    sender: { login: "grace", id: 1 },
  });
  return deliver(body, push);
}

/** A pull request, and how it is sent. */
export interface Pull extends Pick<Push, "site" | "secret" | "delivery"> {
  action: "opened" | "synchronize" | "closed";
  number: number;
  title: string;
  commit: string;
  /** Whose repository it comes from; grace's is the site's own. */
  owner?: string;
  /** The address of the site's own. */
  repository: string;
}

/** Tells of a pull request. */
export async function announcePull(pull: Pull): Promise<Answer> {
  const { action, number, title, commit, owner = "grace" } = pull;
  const own = { full_name: "grace/site", clone_url: pull.repository };
  const from = owner === "grace" ? own : { full_name: `${owner}/site`, clone_url: `https://github.com/${owner}/site.git` };
  const body = JSON.stringify({
    action,
    number,
    pull_request: {
      number,
      title,
      merged: false,
      user: { login: owner },
      head: { ref: "change", sha: commit, repo: from },
      base: { ref: "main", sha: commit, repo: own },
    },
    repository: own,
    sender: { login: owner, id: 1 },
  });
  return deliver(body, pull, "pull_request");
}

/** Signs any body and sends it. */
export async function deliver(
  body: string,
  push: Pick<Push, "site" | "secret" | "delivery">,
  event = "push",
): Promise<Answer> {
  const path = push.site ? `/webhook/customer-site/${push.site}` : "/webhook/customer-site";
  const answer = await fetch(`http://127.0.0.1:${platform().port}${path}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "user-agent": "GitHub-Hookshot/044aadd",
      "x-github-event": event,
      "x-github-delivery": push.delivery ?? randomUUID(),
      "x-hub-signature-256": `sha256=${createHmac("sha256", push.secret).update(body).digest("hex")}`,
    },
    body,
  });
  return readAnswer(answer);
}
