// A second environment by its pages: made, given variables, deployed, paused, changed and removed; production goes on.

import type { Page } from "@playwright/test";
import { type Account, Api, newAccount, unique } from "../support/api";
import { complaints, expectErrorBeside, hydrated, signIn } from "../support/browser";
import { expect, test } from "../support/test";
import { until } from "../support/until";
import { visit } from "../support/visit";

const main = (page: Page) => page.getByRole("main");

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "in a browser" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    let account: Account;
    let api: Api;
    let site: { id: string; slug: string };

    test.beforeAll(async () => {
      account = newAccount();
      api = await Api.register(account);
      const slug = unique("stages");
      const made = await api.post("/sites", { name: "Stages", slug, source: { template: "static" } });
      expect(made.status).toBe(201);
      site = { id: made.body.id, slug };
      await api.live(made.body.deployment_id);
    });
    test.afterAll(() => api.delete(`/sites/${site.id}`));

    test("a site is tried in an environment of its own before it is live", async ({ page }) => {
      test.setTimeout(240_000);
      const heard = complaints(page);
      const ready = () => (javaScriptEnabled ? hydrated(page) : Promise.resolve());
      const staging = `${site.slug}-staging`;
      await signIn(page, account);

      await page.goto(`/sites/${site.id}/settings`);
      await main(page).getByRole("link", { name: "New environment" }).click();
      await expect(page.getByRole("heading", { level: 1, name: "New environment" })).toBeVisible();
      await ready();
      await main(page).getByLabel("Name").fill("Not a name");
      await main(page).getByLabel("Branch").fill("main");
      await main(page).getByRole("button", { name: "Create environment" }).click();
      await expectErrorBeside(main(page).getByLabel("Name"));
      await expect(main(page).getByLabel("Branch")).toHaveValue("main");
      await main(page).getByLabel("Name").fill("staging");
      await main(page).getByRole("button", { name: "Create environment" }).click();
      await page.waitForURL(`**/sites/${site.id}?environment=staging`);
      const tabs = page.getByRole("navigation", { name: "Environments" });
      await expect(tabs.getByRole("link", { name: "staging" })).toHaveAttribute("aria-current", "page");
      await expect(main(page)).toContainText("git push");

      await main(page).getByRole("link", { name: "Variables" }).click();
      await expect(page.getByRole("heading", { level: 1, name: "Variables" })).toBeVisible();
      await ready();
      await main(page).getByLabel("Name").fill("GREETING");
      await main(page).getByLabel("Value").fill("only here");
      await main(page).getByRole("button", { name: "Save" }).click();
      await expect(main(page).getByRole("listitem").filter({ hasText: "GREETING" })).toContainText("only here");

      await page.goto(`/sites/${site.id}?environment=staging`);
      await ready();
      await main(page).getByRole("button", { name: "Deploy" }).click();
      await expect(page.getByRole("heading", { level: 1, name: /Deployment #/ })).toBeVisible();
      await api.live(page.url().split("/").at(-1) ?? "");
      await until(`${staging} answers`, async () => (await visit(staging)).status === 200 || undefined);
      expect(await visit(site.slug)).toMatchObject({ status: 200 });
      expect((await api.get(`/sites/${site.id}/environments/production/variables`)).body).toMatchObject({ variables: [] });

      await page.goto(`/sites/${site.id}/environments/staging`);
      await ready();
      await main(page).getByRole("button", { name: "Pause" }).click();
      await expect(main(page).getByRole("button", { name: "Resume" })).toBeVisible();
      const refused = await api.post(`/sites/${site.id}/deployments`, { environment: "staging" });
      expect(refused).toMatchObject({ status: 409, body: { code: "environment_paused" } });
      await main(page).getByRole("button", { name: "Resume" }).click();
      await expect(main(page).getByRole("button", { name: "Pause" })).toBeVisible();
      await main(page).getByLabel("Branch").fill("develop");
      await main(page).getByRole("button", { name: "Save" }).click();
      await until("the branch is changed", async () => {
        const { body } = await api.get(`/sites/${site.id}/environments/staging`);
        return body.branch === "develop" || undefined;
      });

      await page.goto(`/sites/${site.id}/environments/staging`);
      await ready();
      await main(page).getByRole("button", { name: "Delete environment" }).click();
      const dialog = page.getByRole("dialog", { name: "Delete staging" });
      await dialog.getByLabel("Type staging to confirm").fill("production");
      await dialog.getByRole("button", { name: "Delete this environment" }).click();
      await expectErrorBeside(dialog.getByLabel("Type staging to confirm"));
      await dialog.getByLabel("Type staging to confirm").fill("staging");
      await dialog.getByRole("button", { name: "Delete this environment" }).click();
      await page.waitForURL(`**/sites/${site.id}`);
      await until(`${staging} is gone`, async () => (await visit(staging)).status === 404 || undefined);
      expect(await visit(site.slug)).toMatchObject({ status: 200 });
      expect(heard).toEqual([]);
    });
  });
}

test("a page that is left while its news are fetched leaves the dashboard as it was", async ({ page }) => {
  const account = newAccount();
  const api = await Api.register(account);
  const made = await api.post("/sites", { name: "Left", slug: unique("left"), source: { hosted: {} } });
  const heard = complaints(page);
  await signIn(page, account);
  await page.goto(`/sites/${made.body.id}`);
  await hydrated(page);
  let release = () => {};
  const held = new Promise<void>((done) => (release = done));
  const asked = page.waitForRequest("**/_fn/environments*");
  await page.route("**/_fn/environments*", async (route) => {
    await held;
    await route.continue();
  });
  await until("the page asks for what is new", async () => {
    await api.patch(`/sites/${made.body.id}`, { name: `Left ${Date.now()}` });
    return Promise.race([asked.then(() => true), new Promise<undefined>((done) => setTimeout(() => done(undefined), 500))]);
  });
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Queue" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Queue" })).toBeVisible();
  const answered = page.waitForResponse("**/_fn/environments*");
  release();
  await answered;
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Sites" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Sites" })).toBeVisible();
  expect(heard).toEqual([]);
  await api.delete(`/sites/${made.body.id}`);
});
