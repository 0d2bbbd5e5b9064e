// Deployments as they are watched: the log, the queue, cancelling, promoting, and what was dropped.

import type { Locator, Page } from "@playwright/test";
import { Api, newAccount, unique } from "../support/api";
import { complaints, expectErrorBeside, findings, hydrated, mark, signIn } from "../support/browser";
import { commit, GitServer, newRepository } from "../support/git";
import { platform } from "../support/platform";
import { chattySite, longSite } from "../support/sites";
import { expect, test } from "../support/test";
import { visit } from "../support/visit";

test.describe.configure({ mode: "serial", timeout: 90_000 });

/** So many lines that a build is cancelled long before the last. */
const ENDLESS = 100_000;
/** So many lines that the browser would notice, and they come as fast as they can. */
const LONG = 20_000;

const name = unique("watched");
const account = newAccount();
const server = new GitServer();
const deployments: Record<"first" | "endless" | "waiting", string> = { first: "", endless: "", waiting: "" };

let api: Api;
let page: Page;
let complained: string[];
let site: any;
let repository: string;

test.beforeAll(async ({ browser }) => {
  repository = await newRepository(name);
  await commit(repository, "Begin", chattySite(1));
  await server.listen();
  api = await Api.register(account);
  page = await (await browser.newContext({ baseURL: platform().url })).newPage();
  complained = complaints(page);
  await signIn(page, account);
});

test.afterAll(async () => {
  // A build without end would keep all other sites waiting.
  if (site) await api.delete(`/sites/${site.id}`);
  await page.context().close();
  await server.close();
});

test.afterEach(() => {
  expect(complained).toEqual([]);
});

const log = () => page.getByRole("region", { name: "Lines of the log" });
const status = (words: string) => page.getByRole("main").locator(".pill", { hasText: words });
const fact = (term: string) => page.getByRole("region", { name: "Details" }).locator(`dt:text-is("${term}") + dd`);
const card = () => page.getByRole("listitem").filter({ has: page.getByRole("heading", { name }) });

test("a site is made from the address of a Git repository", async () => {
  await page.goto("/sites/new");
  await hydrated(page);
  await page.getByRole("radio", { name: /Git repository/ }).check();
  await page.getByLabel("Name").fill(name);
  await page.getByRole("textbox", { name: "Repository" }).fill("http://127.0.0.1:1/none.git");
  const create = page.getByRole("button", { name: "Create and deploy" });
  await create.click();
  await expectErrorBeside(page.getByRole("textbox", { name: "Repository" }));
  await page.getByRole("textbox", { name: "Repository" }).fill(server.url(name));
  await page.getByLabel("Branch").fill("elsewhere");
  await create.click();
  await expectErrorBeside(page.getByLabel("Branch"), /elsewhere/);
  await page.getByLabel("Branch").fill("");
  await create.click();
  await page.waitForURL("**/deployments/*");
  deployments.first = idIn(page.url());
  await expect(page.getByRole("link", { name: "Visit" })).toBeVisible({ timeout: 60_000 });
  site = (await api.get("/sites")).body.items[0];
  expect(site).toMatchObject({ slug: name, repository: { clone_url: server.url(name), branch: "main" } });
});

test("a line is in the colours its program gave it", async () => {
  const line = log().locator(".log-text", { hasText: /^line 1 of 1$/ });
  await expect(line.locator("span.fg-1")).toHaveText("line 1 of 1");
});

test("a card among the sites shows what its site does, without reload", async () => {
  await page.goto("/sites");
  await hydrated(page);
  const same = await mark(page);
  await expect(card()).toContainText("Live");
  await commit(repository, "Talk without end", chattySite(ENDLESS));
  deployments.endless = (await api.post(`/sites/${site.id}/deployments`)).body.id;
  await expect(card()).toContainText("Deploying");
  await expect(card()).toContainText("#2");
  expect(await same.isSame()).toBe(true);
});

test("a log is followed until somebody scrolls up, and again when asked", async () => {
  await page.goto(`/deployments/${deployments.endless}`);
  await hydratedLog();
  await expect.poll(lines, { timeout: 30_000 }).toBeGreaterThan(60);
  await expect.poll(() => toEnd(log())).toBeLessThan(48);

  await log().hover();
  await page.mouse.wheel(0, -600);
  await follows(false);
  await settled(() => scrollTop(log()));
  const [top, count] = [await scrollTop(log()), await lines()];
  await expect.poll(lines).toBeGreaterThan(count + 40);
  expect(await scrollTop(log())).toBe(top);

  await page.locator(".log-jump").click();
  await follows(true);
  await expect(page.locator(".log-jump")).toBeHidden();
  const then = await lines();
  await expect.poll(lines).toBeGreaterThan(then + 40);
  await expect.poll(() => toEnd(log())).toBeLessThan(48);
});

test("what waits is in the queue, with its place and what it waits for", async () => {
  deployments.waiting = (await api.post(`/sites/${site.id}/deployments`)).body.id;
  await page.goto("/queue");
  const line = (number: number) => page.getByRole("listitem").filter({ hasText: `${name} #${number}` });
  await expect(line(2)).toContainText("At work");
  await expect(line(3)).toContainText("Next · waits for deployment #2 of the same environment");
  expect(await findings(page)).toEqual([]);
  await line(3).getByRole("link").click();
  await expect(page.getByText("In the queue: waits for deployment #2 of the same environment; it is next.")).toBeVisible();
});

test("what waits is cancelled by its button", async () => {
  await hydrated(page);
  const same = await mark(page);
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(status("Cancelled")).toBeVisible();
  await expect(page.getByText("In the queue:")).toBeHidden();
  expect(await same.isSame()).toBe(true);
});

test("what builds is cancelled by its button, and the site serves as before", async () => {
  await page.goto(`/deployments/${deployments.endless}`);
  await hydratedLog();
  await expect(status("Building")).toBeVisible();
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(status("Cancelled")).toBeVisible();
  await expect(page.getByRole("button", { name: "Cancel" })).toBeHidden();
  await expect(page.getByRole("button", { name: "Deploy again" })).toBeVisible();
  expect(await visit(name)).toEqual({ status: 200, text: "chatty" });
  await page.goto("/queue");
  await expect(page.getByText("Nothing waits")).toBeVisible();
});

test("of a long log only what is near is in the page, and all of it is found", async () => {
  await commit(repository, "Talk fast", longSite(LONG));
  const { body } = await api.post(`/sites/${site.id}/deployments`);
  await page.goto(`/deployments/${body.id}`);
  await expect(page.getByRole("link", { name: "Visit" })).toBeVisible({ timeout: 60_000 });
  await expect.poll(lines).toBeGreaterThan(LONG);
  const drawn = () => log().locator(".log-line").count();
  await expect.poll(drawn).toBeLessThan(2_000);
  for (const number of [LONG / 2, 1, LONG]) {
    await page.getByRole("searchbox", { name: "Search the log" }).fill(`line ${number} of ${LONG}`);
    await expect(log().locator(".log-hit .log-text")).toHaveText(`line ${number} of ${LONG}`);
    await expect(log().locator(".log-hit")).toBeInViewport();
    await expect.poll(drawn).toBeLessThan(2_000);
  }
});

test("a release is promoted to another environment, without a build", async () => {
  const made = await api.post(`/sites/${site.id}/environments`, { name: "staging", branch: "main" });
  expect(made.status).toBe(201);
  await page.goto(`/deployments/${deployments.first}`);
  await hydrated(page);
  await page.getByRole("button", { name: "Promote" }).click();
  const dialog = page.getByRole("dialog", { name: "Promote this release" });
  expect(await findings(page)).toEqual([]);
  await dialog.getByLabel("Environment").selectOption("staging");
  await dialog.getByRole("button", { name: "Promote" }).click();
  await page.waitForURL((url) => idIn(url.href) !== deployments.first);
  await expect(fact("Environment")).toHaveText("staging");
  await expect(fact("Trigger")).toHaveText("Promoted");
  await expect(page.getByRole("link", { name: "Visit" })).toBeVisible({ timeout: 30_000 });
  const steps = page.getByRole("region", { name: "Steps" }).getByRole("listitem");
  await expect(steps.filter({ hasText: "Build" })).toContainText("skipped");
});

test("requests dropped while the old release gave way are told on the page", async () => {
  const address = (await page.getByRole("link", { name: "Visit" }).getAttribute("href")) ?? "";
  const host = new URL(address).hostname.replace(".localhost", "");
  for (let i = 0; i < 3; i += 1) expect((await visit(host, "/busy")).status).toBe(503);
  await expect(fact("Requests dropped")).toHaveText("3");
  await expect(fact("After the switch")).toHaveText("Being watched");
});

test("a site's repository is changed on its settings page, and asked first", async () => {
  await page.goto(`/sites/${site.id}/settings`);
  await hydrated(page);
  const panel = page.getByRole("region", { name: "Repository" });
  const branch = panel.getByLabel("Branch of production");
  await branch.fill("elsewhere");
  await panel.getByRole("button", { name: "Check and use" }).click();
  await expectErrorBeside(branch, /elsewhere/);
  await branch.fill("main");
  await panel.getByLabel("Access token").fill("tide-lamp-orbit");
  await panel.getByRole("button", { name: "Check and use" }).click();
  await expect(page.getByText("The next deployment fetches from there.")).toBeVisible();
  await expect(panel.getByLabel("Remove the token that is kept")).toBeVisible();
  await expect(panel.getByLabel("Access token")).toHaveValue("");
  expect(await findings(page)).toEqual([]);
  expect((await api.get(`/sites/${site.id}`)).body.repository).toMatchObject({ branch: "main", has_token: true });
});

/** Lines that have come, whether they are drawn or not. */
const lines = async () => Number.parseInt((await page.getByText(/^\d+ lines?$/).textContent()) ?? "0", 10);

const idIn = (address: string) => new URL(address).pathname.split("/").pop() ?? "";

/** A log that grows keeps the network busy; that it follows shows that the page's own program runs. */
const hydratedLog = () => follows(true);

const follows = (yes: boolean) => expect(page.getByTitle("Follow")).toHaveAttribute("aria-pressed", String(yes));

const scrollTop = (frame: Locator) => frame.evaluate((element) => element.scrollTop);

/** Waits until a figure is twice the same: the browser scrolls bit by bit. */
const settled = async (figure: () => Promise<number>) => {
  let before = Number.NaN;
  await expect
    .poll(async () => {
      const [then, now] = [before, (before = await figure())];
      return now === then;
    })
    .toBe(true);
};

/** Pixels between what is shown and the end. */
const toEnd = (frame: Locator) =>
  frame.evaluate(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight);
