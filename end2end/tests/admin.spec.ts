// The administration of a platform of its own: who may register, and what a team may use.

import fs from "node:fs";
import { newAccount, unique } from "../support/api";
import { complaints, expectSound, hydrated, signIn } from "../support/browser";
import { startPlatform } from "../support/platform";
import { expect, test } from "../support/test";
import { until } from "../support/until";

let own: Awaited<ReturnType<typeof startPlatform>>;
const admin = newAccount();

test.beforeAll(async () => {
  test.setTimeout(120_000);
  own = await startPlatform("admin", { SIGNUP: "invite" });
});
test.afterAll(() => own.leave());

test("an administrator opens the platform, and says what a team may use", async ({ browser }) => {
  test.setTimeout(240_000);
  const context = await browser.newContext({ baseURL: own.running.url });
  const page = await context.newPage();
  const heard = complaints(page);
  const token = await until("the set-up token", () =>
    /set-up token:\s+(\S+)/.exec(fs.readFileSync(own.running.log, "utf8"))?.[1],
  );
  await page.goto("/sign-up");
  await page.getByLabel("Set-up token").fill(token);
  await page.getByLabel("Name").fill(admin.name);
  await page.getByLabel("E-mail").fill(admin.email);
  await page.getByLabel("Password").fill(admin.password);
  await page.getByRole("button", { name: "Create account" }).click();
  await page.waitForURL("**/sites");

  await page.goto("/admin");
  await hydrated(page);
  const main = page.getByRole("main");
  await expect(main).toContainText("Accounts are made by invitation.");
  await main.getByRole("button", { name: "Let everybody register" }).click();
  await expect(main).toContainText("Everybody may create an account.");
  const stranger = newAccount();
  const answer = await context.request.post("/api/v1/auth/register", { data: stranger });
  expect(answer.status()).toBe(201);
  const { access_token } = await answer.json();
  const asStranger = { headers: { authorization: `Bearer ${access_token}` } };
  expect((await context.request.get("/api/v1/admin/overview", asStranger)).status()).toBe(404);

  const nav = page.getByRole("navigation", { name: "Administration" });
  await nav.getByRole("link", { name: "Teams" }).click();
  await main.getByRole("listitem").filter({ hasText: stranger.email }).getByRole("link").click();
  await expect(main.getByRole("heading", { name: "Members" })).toBeVisible();
  await hydrated(page);
  await main.getByRole("textbox", { name: /^Sites/ }).fill("many");
  await main.getByRole("button", { name: "Set Sites" }).click();
  await expect(main.getByRole("alert")).toContainText("Type a number of sites");
  await main.getByRole("textbox", { name: /^Sites/ }).fill("0");
  await main.getByRole("button", { name: "Set Sites" }).click();
  await expect(main).toContainText("0 of 0");
  const site = { name: "One", slug: unique("one"), source: { template: "static" } };
  const refused = await context.request.post("/api/v1/sites", { ...asStranger, data: site });
  expect(refused.status()).toBe(403);
  expect(await refused.json()).toMatchObject({ code: "quota_exceeded" });

  const theirs = await browser.newContext({ baseURL: own.running.url });
  const their = await theirs.newPage();
  await signIn(their, stranger);
  const { items } = await (await context.request.get("/api/v1/teams", asStranger)).json();
  await their.goto(`/teams/${items[0].id}/quotas`);
  await expect(their.getByRole("listitem").filter({ hasText: "Sites" })).toContainText("0 of 0");
  await their.goto("/admin");
  await expect(their.getByRole("main")).toContainText("There is no such page");
  await theirs.close();

  for (const [path, heading] of [
    ["/admin", "Administration"],
    ["/admin/teams", "Teams"],
    ["/admin/sites", "All sites"],
    ["/admin/invitations", "Invitations to the platform"],
    ["/admin/machine", "Machine"],
    ["/admin/settings", "Settings"],
  ] as const) {
    await expectSound(page, path, heading);
  }
  expect(heard).toEqual([]);
  await context.close();
});
