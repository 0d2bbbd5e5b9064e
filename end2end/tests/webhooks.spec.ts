// The inbox of webhooks: what came, why nothing happened, and the same once more; a secret that is replaced.

import { randomUUID } from "node:crypto";
import { type Account, Api, newAccount, unique } from "../support/api";
import { complaints, hydrated, mark, signIn } from "../support/browser";
import { expect, test } from "../support/test";
import { until } from "../support/until";
import { announce } from "../support/webhook";

const COMMIT = "b3f1c2d4e5a60718293a4b5c6d7e8f9001122334";

let account: Account;
let api: Api;
let site: { id: string; secret: string };

test.beforeAll(async () => {
  account = newAccount();
  api = await Api.register(account);
});

/** A site with an empty repository: nothing is built for it. */
test.beforeEach(async ({ page }) => {
  const made = await api.post("/sites", { name: "Inbox", slug: unique("inbox"), source: { hosted: {} } });
  expect(made.status).toBe(201);
  site = { id: made.body.id, secret: made.body.webhook.secret };
  await signIn(page, account);
});
test.afterEach(() => api.delete(`/sites/${site.id}`));

const push = (branch: string, secret = site.secret, delivery = randomUUID()) =>
  announce({ site: site.id, secret, branch, commit: COMMIT, delivery });

test("says what to do while nothing came, and shows what comes by itself", async ({ page }) => {
  const heard = complaints(page);
  await page.goto(`/sites/${site.id}`);
  await page.getByRole("link", { name: "Webhooks" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Webhooks" })).toBeVisible();
  const inbox = page.getByRole("region", { name: "Deliveries" });
  await expect(inbox).toContainText("Nothing came yet");
  await hydrated(page);
  const { isSame } = await mark(page);
  expect(await push("docs")).toMatchObject({ status: 202, body: { outcome: "ignored" } });
  await expect(inbox.getByRole("listitem")).toContainText("The branch “docs” is not deployed", { timeout: 15_000 });
  await expect(inbox.locator(".pill")).toHaveText("Ignored");
  expect(await isSame()).toBe(true);
  expect(heard).toEqual([]);
});

test("opens a delivery and takes it once more, by today's environments", async ({ page }) => {
  const heard = complaints(page);
  await push("docs");
  await api.post(`/sites/${site.id}/environments`, { name: "documentation", branch: "docs" });
  await page.goto(`/sites/${site.id}/webhooks`);
  await hydrated(page);
  await page.getByRole("link", { name: /GitHub · push/ }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Delivery" })).toBeVisible();
  await expect(page.getByRole("region", { name: "Headers" })).toContainText("[hidden]");
  await expect(page.getByRole("region", { name: "Body" })).toContainText('"ref": "refs/heads/docs"');
  const first = page.url();
  await page.getByRole("button", { name: "Replay" }).click();
  await expect(page.getByRole("link", { name: "an earlier delivery" })).toBeVisible();
  expect(page.url()).not.toBe(first);
  await expect(page.locator(".pill")).toHaveText("Queued");
  await page.getByRole("link", { name: "Deployment", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Deployment #1" })).toBeVisible();
  expect(heard).toEqual([]);
});

test("counts a redelivery on, and notes a wrong secret", async ({ page }) => {
  const delivery = randomUUID();
  await push("docs", site.secret, delivery);
  expect((await push("docs", site.secret, delivery)).body).toMatchObject({ outcome: "duplicate" });
  expect((await push("docs", "another secret")).status).toBe(401);
  const rows = async () => (await api.get(`/deliveries?site_id=${site.id}`)).body.items;
  await until("the refusal to be noted", async () => (await rows()).length === 2);
  await page.goto(`/sites/${site.id}/webhooks`);
  const lines = page.getByRole("region", { name: "Deliveries" }).getByRole("listitem");
  await expect(lines.first()).toContainText("Refused");
  await expect(lines.first()).toContainText("The signature does not match");
  await expect(lines.last()).toContainText("sent 2 times");
});

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    test("a secret is replaced, and the old one revoked", async ({ page }) => {
      await page.goto(`/sites/${site.id}/webhooks`);
      if (javaScriptEnabled) await hydrated(page);
      await page.getByRole("button", { name: "Replace the secret" }).click();
      await page.getByRole("dialog", { name: "Replace the secret" }).getByRole("button", { name: "Replace it" }).click();
      const shown = page.getByLabel("Webhook secret", { exact: true });
      await expect(page.getByText(/The old secret works until/)).toBeVisible();
      await expect(shown).toHaveText(/^\S{32,}$/);
      await expect(shown).not.toHaveText(site.secret);
      const secret = (await shown.textContent()) ?? "";
      expect((await push("docs", secret)).body.warning).toBeUndefined();
      expect((await push("docs")).body.warning).toContain("signed with the old secret");
      await page.goto(`/sites/${site.id}/webhooks`);
      await expect(page.getByRole("listitem").filter({ hasText: "signed with the old secret" })).toHaveCount(1);
      if (javaScriptEnabled) await hydrated(page);
      await page.getByRole("button", { name: "Revoke the old one now" }).click();
      await expect(page.getByText(/The old secret works until/)).toBeHidden();
      expect((await push("docs")).status).toBe(401);
      expect((await push("docs", secret)).status).toBe(202);
    });

    test("older deliveries are on further pages", async ({ page }) => {
      for (let sent = 0; sent < 22; sent += 1) await push("docs");
      await page.goto(`/sites/${site.id}/webhooks`);
      if (javaScriptEnabled) await hydrated(page);
      const lines = page.getByRole("region", { name: "Deliveries" }).getByRole("listitem");
      await expect(lines).toHaveCount(20);
      await page.getByRole("link", { name: "Older" }).click();
      await expect(lines).toHaveCount(2);
      await page.getByRole("link", { name: "Newest" }).click();
      await expect(lines).toHaveCount(20);
    });
  });
}
