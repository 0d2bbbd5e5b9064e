// GitHub: what is said before its App is registered, and the whole way from there to a live preview.

import { createHmac, randomUUID } from "node:crypto";
import fs from "node:fs";
import { Api, newAccount, unique } from "../support/api";
import { findings, hydrated, signIn } from "../support/browser";
import { commit, newRepository } from "../support/git";
import { GitHub } from "../support/github";
import { startPlatform } from "../support/platform";
import { expect, test } from "../support/test";
import { until } from "../support/until";

const account = newAccount();

test.beforeAll(async () => {
  await Api.register(account);
});

test("a site from GitHub says what is missing as long as there is no App", async ({ page }) => {
  await signIn(page, account);
  await page.goto("/sites/new");
  await page.getByRole("link", { name: "From a repository on GitHub" }).click();
  await expect(page.getByText("GitHub is not connected yet")).toBeVisible();
  await expect(page.getByRole("link", { name: "Install the GitHub App" })).toHaveCount(0);
  await hydrated(page);
  expect(await findings(page)).toEqual([]);
});

test("the App is registered by administrators alone", async ({ page }) => {
  await signIn(page, account);
  await page.goto("/admin/github");
  await expect(page.getByRole("main")).toBeVisible();
  await expect(page.getByRole("button", { name: "Register on GitHub" })).toHaveCount(0);
});

test.describe("once its App is registered", () => {
  const name = unique("through");
  const hub = new GitHub(name);
  let own: Awaited<ReturnType<typeof startPlatform>>;
  let head: string;

  test.beforeAll(async () => {
    test.setTimeout(120_000);
    head = await commit(await newRepository(name), "Begin", { "index.html": "<h1>through the App</h1>" });
    await hub.listen();
    own = await startPlatform("github", { SIGNUP: "invite", GITHUB_URL: hub.url, GITHUB_API_URL: `${hub.url}/api/v3` });
  });
  test.afterAll(async () => {
    await own.leave();
    await hub.close();
  });

  const deliver = (event: string, payload: object) => {
    const repository = { id: 1, full_name: `ada/${name}`, clone_url: `${hub.url}/ada/${name}.git` };
    const body = JSON.stringify({ ...payload, repository, installation: { id: 7 } });
    const signature = `sha256=${createHmac("sha256", "hook").update(body).digest("hex")}`;
    return fetch(`http://127.0.0.1:${own.running.port}/webhook/github-app`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-github-event": event,
        "x-github-delivery": randomUUID(),
        "x-hub-signature-256": signature,
      },
      body,
    });
  };

  test("a repository is picked, and everything else happens by itself", async ({ page }) => {
    test.setTimeout(240_000);
    const at = (path: string) => own.running.url + path;
    const token = await until("the set-up token", () =>
      /set-up token:\s+(\S+)/.exec(fs.readFileSync(own.running.log, "utf8"))?.[1],
    );
    const admin = newAccount();
    await page.goto(at("/sign-up"));
    await page.getByLabel("Set-up token").fill(token);
    await page.getByLabel("Name").fill(admin.name);
    await page.getByLabel("E-mail").fill(admin.email);
    await page.getByLabel("Password").fill(admin.password);
    await page.getByRole("button", { name: "Create account" }).click();
    await page.waitForURL("**/sites");

    await page.goto(at("/admin"));
    await page.getByRole("navigation", { name: "Administration" }).getByRole("link", { name: "GitHub" }).click();
    await hydrated(page);
    await page.getByRole("button", { name: "Register on GitHub" }).click();
    await expect(page.getByText(at("/webhook/github-app"))).toBeVisible();
    expect(hub.manifest).toMatchObject({ request_oauth_on_install: true, default_events: ["push", "pull_request"] });

    await page.goto(at("/github/connected?installation_id=7&code=code-of-ada&state=guessed"));
    await expect(page.getByText("begin once more")).toBeVisible();
    await page.goto(at("/sites/new/github"));
    await page.getByRole("link", { name: "Install the GitHub App" }).click();
    await page.getByLabel("Repository").fill("through");
    await page.getByRole("button", { name: "Search" }).click();
    expect(await findings(page)).toEqual([]);
    await page.getByRole("link", { name: `ada/${name}` }).click();
    await page.getByRole("button", { name: "Create and deploy" }).click();
    await page.waitForURL("**/deployments/*");
    await expect(page.getByRole("link", { name: "Visit" })).toBeVisible({ timeout: 60_000 });
    expect(hub.fetched).toBeGreaterThan(0);
    const states = (what: string) => hub.bodies(what).map((body) => body.state);
    await until("GitHub to be told", () => states("deployment statuses").includes("success") || undefined);
    expect(states("statuses").at(-1)).toBe("success");
    expect(hub.bodies("statuses").at(-1).target_url).toBe(page.url());
    expect(hub.bodies("deployments")).toMatchObject([{ ref: head, environment: "production" }]);

    const link = await page.locator('main a[href^="/sites/"]').first().getAttribute("href");
    await page.goto(at(`${link}/previews`));
    await hydrated(page);
    await page.getByLabel("Pull requests get previews").check();
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByText("Saved.")).toBeVisible();
    const end = (ref: string) => ({ ref, sha: head, repo: { full_name: `ada/${name}` } });
    const pull = { title: "Better", merged: false, user: { login: "ada" }, head: end("main"), base: end("main") };
    expect((await deliver("pull_request", { action: "opened", number: 3, pull_request: pull })).status).toBe(202);
    await expect(page.getByRole("listitem").filter({ hasText: "#3" })).toContainText("Live", { timeout: 60_000 });
    const told = () => hub.bodies("comment edits").at(-1)?.body ?? hub.bodies("comments").at(-1)?.body ?? "";
    await until("the comment", () => told().includes("is live") || undefined);
    expect(told()).toContain(`${name}-pr-3.`);
    expect(hub.bodies("comments")).toHaveLength(1);
    expect(hub.mistakes).toEqual([]);
  });
});
