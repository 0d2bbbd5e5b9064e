// From signing up to deleting a site: the whole way, in a browser, on the real machine.

import type { Browser, Locator, Page } from "@playwright/test";
import { randomUUID } from "node:crypto";
import { newAccount, unique } from "../support/api";
import { complaints, expectNoSidewaysScroll, findings, hydrated, mark } from "../support/browser";
import { named } from "../support/docker";
import { commit, hostedRepository } from "../support/git";
import { platform } from "../support/platform";
import { remains } from "../support/sites";
import { expect, test } from "../support/test";
import { until } from "../support/until";
import { Onlooker, visit } from "../support/visit";
import { announce } from "../support/webhook";

test.describe.configure({ mode: "serial" });

/** Building the first time installs packages into the images. */
const LONG = 240_000;

const account = newAccount();
const slug = unique("guests");
const greeting = `Hello from ${slug}`;

let page: Page;
let complained: string[];
const site = { id: "", slug, secret: "" };
/** Addresses of the deployments, by their number. */
const deployments: string[] = [];

test.beforeAll(async ({ browser }) => {
  page = await newPage(browser);
  complained = complaints(page);
});

test.afterAll(async () => {
  await page.context().close();
});

test.afterEach(() => {
  expect(complained).toEqual([]);
});

const newPage = async (browser: Browser) => (await browser.newContext({ baseURL: platform().url })).newPage();

/** A step on a deployment's page. */
function step(name: string): Locator {
  const steps = page.getByRole("region", { name: "Steps" }).getByRole("listitem");
  return steps.filter({ has: page.getByText(name, { exact: true }) });
}

/** The line of a deployment on the site's page. */
const line = (number: number) =>
  page.getByRole("region", { name: "Deployments" }).getByRole("link").filter({ hasText: `#${number}` });

const log = () => page.getByRole("region", { name: "Lines of the log" });

/** The open page of a deployment comes to show that it is live. */
async function expectLive(number: number): Promise<void> {
  await expect(page.getByRole("heading", { level: 1, name: `Deployment #${number}` })).toBeVisible();
  deployments[number] = page.url();
  await expect(page.getByRole("link", { name: "Visit" })).toBeVisible({ timeout: LONG });
  await expect(step("Drain")).toContainText("done", { timeout: 30_000 });
}

/** Reads a value from the site's page. */
const shown = async (label: string) => (await page.getByLabel(label, { exact: true }).textContent()) ?? "";

test("a newcomer signs up and is told what to do next", async () => {
  await page.goto("/");
  await page.getByRole("main").getByRole("link", { name: "Create an account" }).click();
  await page.getByLabel("Name").fill(account.name);
  await page.getByLabel("E-mail").fill(account.email);
  await page.getByLabel("Password").fill(account.password);
  await page.getByRole("button", { name: "Create account" }).click();
  await page.waitForURL("**/sites");
  await expect(page.getByText("Your first site is a minute away")).toBeVisible();
  await page.getByRole("main").getByRole("link", { name: "New site" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "New site" })).toBeVisible();
});

test("the address of a new site is checked as it is typed", async () => {
  await page.goto("/sites/new");
  await hydrated(page);
  await page.getByLabel("Name").pressSequentially("Our Guests");
  await expect(page.getByLabel("Address")).toHaveValue("our-guests");
  await page.getByLabel("Address").fill("api");
  await expect(page.getByText("is kept for the platform")).toBeVisible();
  await page.getByLabel("Address").fill("Not A Slug");
  await expect(page.getByText("lower-case letters, digits and hyphens only")).toBeVisible();
  await page.getByLabel("Address").fill(slug);
  await expect(page.getByText(`${slug}.localhost`)).toBeVisible();
});

test("a full-stack site goes live while its page moves by itself", async () => {
  test.setTimeout(LONG);
  await page.getByRole("radio", { name: /full.stack/i }).check();
  await page.getByRole("button", { name: "Create and deploy" }).click();
  await page.waitForURL("**/deployments/*");
  const same = await mark(page);
  await expect(page.getByRole("link", { name: "Visit" })).toBeHidden();
  await expect(log().getByText("Found by webmeteor.toml")).toBeVisible({ timeout: 30_000 });
  await expect(step("Fetch")).toContainText("done");
  await expectLive(1);
  for (const name of ["Build", "Start", "Verify", "Switch"]) await expect(step(name)).toContainText("done");
  await expect(log().getByText("well after")).not.toHaveCount(0);
  expect(await same.isSame(), "the page was not loaded again").toBe(true);
});

test("an entry written in one browser appears in another without reload", async ({ browser }) => {
  const address = await page.getByRole("link", { name: "Visit" }).getAttribute("href");
  expect(address).toBe(`http://${slug}.localhost:${platform().proxyPort}`);
  const [writer, reader] = [await newPage(browser), await newPage(browser)];
  const heard = [complaints(writer), complaints(reader)];
  for (const visitor of [writer, reader]) {
    await visitor.goto(address ?? "");
    await expect(visitor.getByRole("status")).toHaveText("Live");
  }
  const same = await mark(reader);
  await writer.getByLabel("Your name").fill("Ada");
  await writer.getByLabel("Your words").fill(greeting);
  await writer.getByRole("button", { name: "Sign the book" }).click();
  await expect(reader.getByText(greeting)).toBeVisible();
  await expect(writer.getByText(greeting)).toBeVisible();
  expect(await same.isSame()).toBe(true);
  expect(heard.flat()).toEqual([]);
  for (const visitor of [writer, reader]) await visitor.context().close();
});

test("an entry survives a redeploy, and nobody is turned away meanwhile", async ({ browser }) => {
  test.setTimeout(LONG);
  const onlooker = new Onlooker(slug, ["/", "/api/entries"]);
  await page.getByRole("button", { name: "Deploy again" }).click();
  await expectLive(2);
  expect(await onlooker.leave()).toEqual([]);
  expect(onlooker.answers).toBeGreaterThan(10);
  const visitor = await newPage(browser);
  await visitor.goto(`http://${slug}.localhost:${platform().proxyPort}`);
  await expect(visitor.getByText(greeting)).toBeVisible();
  await visitor.context().close();
});

test("the site's page shows its address, services, webhook and secret", async () => {
  await page.getByRole("navigation", { name: "Breadcrumb" }).getByRole("link", { name: "Our Guests" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Our Guests" })).toBeVisible();
  site.id = new URL(page.url()).pathname.split("/").pop() ?? "";
  const services = page.getByRole("region", { name: "Services" });
  for (const name of ["www", "api", "alert", "db"]) {
    await expect(services.getByRole("listitem").filter({ hasText: name })).toContainText("Running");
  }
  expect(await shown("Webhook address")).toBe(`${platform().url}/webhook/customer-site/${site.id}`);
  await page.getByRole("link", { name: "Reveal" }).click();
  await expect(page.getByLabel("Webhook secret", { exact: true })).toBeVisible();
  site.secret = await shown("Webhook secret");
  expect(site.secret.length).toBeGreaterThanOrEqual(32);
});

test("a signed push appears on the open page and goes live without a dropped request", async () => {
  test.setTimeout(LONG);
  await hydrated(page);
  const same = await mark(page);
  const id = await commit(hostedRepository(site.id), "Call it what it is", {
    "www/site/index.html": (old) => old.replace("<h1>Guest book</h1>", "<h1>Visitors of all lands</h1>"),
  });
  const onlooker = new Onlooker(slug, ["/", "/api/entries"]);
  const answer = await announce({ site: site.id, secret: site.secret, commit: id, message: "Call it what it is" });
  expect(answer).toMatchObject({ status: 202, body: { outcome: "queued" } });
  await expect(line(3)).toContainText("Call it what it is");
  await expect(line(3)).toContainText("Live", { timeout: LONG });
  await expect(line(2)).toContainText("Replaced");
  expect(await same.isSame(), "the page was not loaded again").toBe(true);
  expect((await visit(slug)).text).toContain("Visitors of all lands");
  await line(3).click();
  await expectLive(3);
  expect(await onlooker.leave()).toEqual([]);
});

test("a broken push says which step failed and why, and the site answers all the while", async () => {
  test.setTimeout(LONG);
  await page.goto(`/sites/${site.id}`);
  const id = await commit(hostedRepository(site.id), "Break the build", {
    "www/Dockerfile": (old) => old.replace("USER www-data", "RUN echo no such compiler >&2 && exit 3\nUSER www-data"),
  });
  const onlooker = new Onlooker(slug, ["/", "/api/entries"]);
  const answer = await announce({ site: site.id, secret: site.secret, commit: id, message: "Break the build" });
  expect(answer.status).toBe(202);
  await expect(line(4)).toContainText("Failed", { timeout: LONG });
  await line(4).click();
  const alert = page.getByRole("main").getByRole("alert");
  await expect(alert).toContainText("Failed at build of www");
  await expect(alert).toContainText("build_failed");
  await expect(step("Build")).toContainText("failed");
  await expect(log().getByText("no such compiler").first()).toBeVisible();
  expect(await onlooker.leave()).toEqual([]);
  expect(onlooker.answers).toBeGreaterThan(10);
  expect((await visit(slug)).text).toContain("Visitors of all lands");
  expect(await findings(page)).toEqual([]);
  await expectNoSidewaysScroll(page);
});

test("only a signed push to the site's branch deploys, and each delivery once", async () => {
  const newest = await commit(hostedRepository(site.id), "Mend the build", {
    "www/Dockerfile": (old) => old.replace(/RUN echo .*\n/, ""),
  });
  const wrong = await announce({ site: site.id, secret: "not the secret", commit: newest });
  expect(wrong).toMatchObject({ status: 401, type: "application/problem+json", body: { code: "bad_signature" } });
  const stranger = await announce({ site: randomUUID(), secret: site.secret, commit: newest });
  expect(stranger).toEqual(wrong);

  const other = await announce({ site: site.id, secret: site.secret, commit: newest, branch: "experiment" });
  expect(other).toMatchObject({ status: 202, body: { outcome: "ignored" } });
  expect(other.body.reason).toContain("“experiment” is not deployed");

  const push = { site: site.id, secret: site.secret, commit: newest, message: "Mend the build", delivery: randomUUID() };
  const first = await announce(push);
  expect(first.body.outcome).toBe("queued");
  const second = await announce(push);
  expect(second).toMatchObject({ status: 202, body: { outcome: "duplicate", deployment_id: first.body.deployment_id } });

  await page.goto(`/sites/${site.id}`);
  await expect(line(5)).toContainText("Live", { timeout: LONG });
  await expect(line(6)).toHaveCount(0);
});

test("an earlier release is rolled back to without a build", async () => {
  await page.goto(deployments[1] ?? "");
  await page.getByRole("button", { name: "Roll back to this" }).click();
  const dialog = page.getByRole("dialog", { name: "Roll back to this release" });
  await dialog.getByRole("button", { name: "Roll back" }).click();
  await page.waitForURL((url) => url.href !== deployments[1]);
  await expectLive(6);
  for (const name of ["Fetch", "Build"]) await expect(step(name)).toContainText("skipped");
  expect((await visit(slug)).text).toContain("<h1>Guest book</h1>");
  expect((await visit(slug, "/api/entries")).text).toContain(greeting);
});

test("a deleted site leaves nothing behind", async () => {
  await page.goto(`/sites/${site.id}/settings`);
  await hydrated(page);
  await page.getByRole("button", { name: "Delete site" }).click();
  const dialog = page.getByRole("dialog", { name: "Delete Our Guests" });
  await expect(dialog).toContainText("The database and all other volumes");
  await dialog.getByLabel(`Type ${slug} to confirm`).fill("something else");
  await dialog.getByRole("button", { name: "Delete this site" }).click();
  await expect(dialog.getByText("This is not the site's name")).toBeVisible();
  expect(await remains(site)).not.toEqual([]);

  await dialog.getByLabel(`Type ${slug} to confirm`).fill(slug);
  await dialog.getByRole("button", { name: "Delete this site" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Sites" })).toBeVisible();
  await expect(page.getByRole("link", { name: "Our Guests" })).toBeHidden({ timeout: 60_000 });
  await until("the site's remains to be gone", async () => (await remains(site)).length === 0, 60);
  expect(await named(`-${slug}`)).toEqual([]);
  expect((await visit(slug)).status).toBe(404);
  await page.goto("/sites");
  await expect(page.getByText("Your first site is a minute away")).toBeVisible();
});
