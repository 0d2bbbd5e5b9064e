// Previews: turned on, told of, approved, removed, on the page and without JavaScript.

import type { Page } from "@playwright/test";
import { type Account, Api, newAccount, unique } from "../support/api";
import { complaints, expectErrorBeside, expectSound, hydrated, mark, signIn } from "../support/browser";
import { commit, GitServer, newRepository } from "../support/git";
import { plainSite } from "../support/sites";
import { expect, test } from "../support/test";
import { announcePull } from "../support/webhook";

const server = new GitServer();
let account: Account;
let api: Api;
let head: string;
let site: { id: string; slug: string; secret: string };

test.beforeAll(async () => {
  account = newAccount();
  api = await Api.register(account);
  const name = unique("previews");
  head = await commit(await newRepository(name), "Begin", plainSite("of everybody"));
  await server.listen();
  const source = { git: { url: server.url(name) } };
  const made = await api.post("/sites", { name: "Previews", slug: name, source });
  expect(made.status).toBe(201);
  site = { id: made.body.id, slug: name, secret: made.body.webhook.secret };
});
test.afterAll(async () => {
  await api.delete(`/sites/${site.id}`);
  await server.close();
});
test.beforeEach(({ page }) => signIn(page, account));

const address = () => `/sites/${site.id}/previews`;
const pull = (number: number, action: "opened" | "closed", owner: string) =>
  announcePull({
    site: site.id,
    secret: site.secret,
    repository: server.url(site.slug),
    number,
    action,
    owner,
    title: `Change ${number}`,
    commit: head,
  });
const line = (page: Page, number: number) => page.getByRole("listitem").filter({ hasText: `#${number}` });
const turnOn = () => api.patch(`/sites/${site.id}`, { previews: { enabled: true, max: 5 } });

test("are turned on, and what is wrong is told beside its field", async ({ page }) => {
  const heard = complaints(page);
  await page.goto(`/sites/${site.id}`);
  await page.getByRole("link", { name: "Previews", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Previews" })).toBeVisible();
  await hydrated(page);
  await page.getByLabel("At most at a time").fill("99");
  await page.getByRole("button", { name: "Save" }).click();
  await expectErrorBeside(page.getByLabel("At most at a time"), /1 to 20/);
  await page.getByLabel("At most at a time").fill("3");
  await page.getByLabel("Pull requests get previews").check();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved.")).toBeVisible();
  await hydrated(page);
  await expect(page.getByText("Saved.")).toHaveCount(1);
  await page.reload();
  await expect(page.getByLabel("Pull requests get previews")).toBeChecked();
  await expect(page.getByLabel("At most at a time")).toHaveValue("3");
  expect(heard).toEqual([]);
});

test("from a fork wait until that commit is approved, and are removed when asked", async ({ page }) => {
  test.setTimeout(240_000);
  await turnOn();
  const heard = complaints(page);
  await page.goto(address());
  await hydrated(page);
  const { isSame } = await mark(page);
  expect((await pull(7, "opened", "eve")).body).toMatchObject({ outcome: "ignored" });
  await expect(line(page, 7)).toContainText("Waits for approval", { timeout: 15_000 });
  expect(await isSame()).toBe(true);
  await expectSound(page, address(), "Previews");
  await page.getByRole("button", { name: `Approve and deploy ${head.slice(0, 7)}` }).click();
  await expect(line(page, 7)).toContainText(`${site.slug}-pr-7.`);
  await expect(line(page, 7).locator(".pill").last()).toHaveText("Live", { timeout: 120_000 });
  await line(page, 7).getByRole("link", { name: "Remove the preview of #7" }).click();
  await page.getByRole("button", { name: "Remove the preview of #7 with its data" }).click();
  await expect(line(page, 7).locator(".pill").first()).toHaveText("Removed");
  expect(heard).toEqual([]);
});

test("are given variables of their own", async ({ page }) => {
  const heard = complaints(page);
  await page.goto(address());
  await page.getByRole("link", { name: "Variables" }).click();
  await expectSound(page, `${address()}/variables`, "Variables");
  await page.getByLabel("Name").fill("MODE");
  await page.getByLabel("Value").fill("preview");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("listitem").filter({ hasText: "MODE" })).toContainText("preview");
  expect(heard).toEqual([]);
});

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("are approved and removed", async ({ page }) => {
    await turnOn();
    await pull(8, "opened", "eve");
    await page.goto(address());
    await line(page, 8).getByRole("button", { name: /Approve and deploy/ }).click();
    await page.goto(address());
    await expect(line(page, 8)).toContainText("Preview");
    await line(page, 8).getByRole("link", { name: "Remove the preview of #8" }).click();
    await page.getByRole("button", { name: "Remove the preview of #8 with its data" }).click();
    await expect(line(page, 8)).toContainText("Removed");
  });
});
