// What the dashboard does for a browser without JavaScript: everything.

import type { Locator, Page } from "@playwright/test";
import { type Account, Api, newAccount, unique } from "../support/api";
import { expectErrorBeside, signIn } from "../support/browser";
import { commit, GitServer, newRepository } from "../support/git";
import { chattySite, plainSite, remains } from "../support/sites";
import { expect, test } from "../support/test";
import { until } from "../support/until";
import { visit } from "../support/visit";

test.use({ javaScriptEnabled: false });

let account: Account;

test.beforeAll(async () => {
  account = newAccount();
  await Api.register(account);
});

test("one signs up, and out and in again", async ({ page }) => {
  const newcomer = newAccount();
  await page.goto("/sign-up");
  await page.getByLabel("Name").fill(newcomer.name);
  await page.getByLabel("E-mail").fill(newcomer.email);
  await page.getByLabel("Password").fill(newcomer.password);
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page.getByText("Your first site is a minute away")).toBeVisible();

  await page.goto("/account");
  await page.getByRole("main").getByRole("button", { name: "Sign out" }).click();
  await page.goto("/sites");
  await expect(page).toHaveURL(/\/sign-in\?next=/);

  await page.getByLabel("E-mail").fill(newcomer.email);
  await page.getByLabel("Password").fill("not the right password");
  await page.getByRole("main").getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("main").getByRole("alert")).toContainText(/password/i);
  await expect(page.getByLabel("E-mail")).toHaveValue(newcomer.email);

  await page.getByLabel("Password").fill(newcomer.password);
  await page.getByRole("main").getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Sites" })).toBeVisible();
});

test("an address that is taken is told beside its field", async ({ page }) => {
  await page.goto("/sign-up");
  await page.getByLabel("Name").fill("Somebody else");
  await page.getByLabel("E-mail").fill(account.email);
  await page.getByLabel("Password").fill("a password long enough");
  await page.getByRole("button", { name: "Create account" }).click();
  await expectErrorBeside(page.getByLabel("E-mail"));
  await expect(page.getByLabel("Name")).toHaveValue("Somebody else");
});

test("a static site is made, with its mistakes told beside the fields, and goes live", async ({ page }) => {
  test.setTimeout(240_000);
  await signIn(page, account);
  const slug = unique("plain");
  await page.goto("/sites/new");
  await page.getByRole("radio", { name: /static/i }).check();
  await page.getByLabel("Name").fill("Plain and simple");
  await page.getByLabel("Address").fill("api");
  await page.getByRole("button", { name: "Create and deploy" }).click();
  await expectErrorBeside(page.getByLabel("Address"), /kept for the platform/);
  await expect(page.getByLabel("Name")).toHaveValue("Plain and simple");

  await page.getByLabel("Address").fill(slug);
  await page.getByRole("button", { name: "Create and deploy" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Deployment #1" })).toBeVisible();
  await live(page);
  await expect(page.getByRole("region", { name: "Lines of the log" })).toContainText("Found by static");
  expect(await visit(slug)).toMatchObject({ status: 200, text: expect.stringContaining("Morrow Studio") });
});

test.describe("a site from a Git repository", () => {
  test.describe.configure({ mode: "serial" });

  const slug = unique("quiet");
  const server = new GitServer();
  const site = { id: "", slug };
  let repository: string;
  let first: string;

  test.beforeAll(async () => {
    repository = await newRepository(slug);
    await commit(repository, "Begin", plainSite("quiet"));
    await server.listen();
  });
  test.afterAll(() => server.close());
  test.beforeEach(({ page }) => signIn(page, account));

  test("is made, with what is wrong told beside the fields", async ({ page }) => {
    await page.goto("/sites/new");
    await page.getByRole("radio", { name: /Git repository/ }).check();
    await page.getByLabel("Name").fill("Quiet");
    await page.getByLabel("Address").fill(slug);
    await page.getByRole("textbox", { name: "Repository" }).fill("http://127.0.0.1:1/none.git");
    await page.getByRole("button", { name: "Create and deploy" }).click();
    await expectErrorBeside(page.getByRole("textbox", { name: "Repository" }));
    await expect(page.getByRole("textbox", { name: "Repository" })).toHaveValue("http://127.0.0.1:1/none.git");
    await page.getByRole("textbox", { name: "Repository" }).fill(server.url(slug));
    await page.getByRole("button", { name: "Create and deploy" }).click();
    await live(page);
    first = page.url();
    expect((await visit(slug)).text).toBe("quiet");
  });

  test("tells all on its page, the webhook's secret too", async ({ page }) => {
    await page.goto(first);
    await page.getByRole("navigation", { name: "Breadcrumb" }).getByRole("link", { name: "Quiet" }).click();
    site.id = new URL(page.url()).pathname.split("/").pop() ?? "";
    await expect(page.getByRole("region", { name: "Services" })).toContainText("Running");
    await page.getByRole("link", { name: "Reveal" }).click();
    await expect(page.getByLabel("Webhook secret", { exact: true })).toHaveText(/^\S{32,}$/);
    await page.getByRole("region", { name: "Deployments" }).getByRole("link").first().click();
    await expect(page.getByRole("heading", { level: 1, name: "Deployment #1" })).toBeVisible();
  });

  test("is deployed, which can be cancelled", async ({ page }) => {
    await commit(repository, "Talk without end", chattySite(100_000));
    await page.goto(`/sites/${site.id}`);
    await page.getByRole("button", { name: "Deploy" }).click();
    await expect(page.getByRole("heading", { level: 1, name: "Deployment #2" })).toBeVisible();
    await page.getByRole("button", { name: "Cancel" }).click();
    await until("the end", () => reloadedShows(page, page.getByRole("button", { name: "Deploy again" })), 30);
    await expect(page.locator(".pill")).toHaveText("Cancelled");
  });

  test("is deployed again", async ({ page }) => {
    await page.goto(first);
    await page.getByRole("button", { name: "Deploy again" }).click();
    await expect(page.getByRole("heading", { level: 1, name: "Deployment #3" })).toBeVisible();
    await live(page);
  });

  test("is rolled back, after a dialog that can be left", async ({ page }) => {
    await page.goto(first);
    const dialog = page.getByRole("dialog", { name: "Roll back to this release" });
    await page.getByRole("button", { name: "Roll back to this" }).click();
    await dialog.getByRole("button", { name: "Close" }).first().click();
    await expect(dialog).toBeHidden();
    await page.getByRole("button", { name: "Roll back to this" }).click();
    await expect(page).toHaveURL(/\?dialog=roll-back$/);
    await dialog.getByRole("button", { name: "Roll back" }).click();
    await expect(page.getByRole("heading", { level: 1, name: "Deployment #4" })).toBeVisible();
    await live(page);
  });

  test("gets another name", async ({ page }) => {
    await page.goto(`/sites/${site.id}/settings`);
    await page.getByLabel("Name").fill(" ");
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByLabel("Name")).toHaveAttribute("aria-invalid", "true");
    await page.getByLabel("Name").fill("Still");
    await page.getByRole("button", { name: "Save" }).click();
    await page.goto(`/sites/${site.id}`);
    await expect(page.getByRole("heading", { level: 1, name: "Still" })).toBeVisible();
  });

  test("is deleted when its name is typed", async ({ page }) => {
    await page.goto(`/sites/${site.id}/settings`);
    await page.getByRole("button", { name: "Delete site" }).click();
    const dialog = page.getByRole("dialog", { name: "Delete Still" });
    for (const wrong of ["something else", "still something else"]) {
      await dialog.getByLabel(`Type ${slug} to confirm`).fill(wrong);
      await dialog.getByRole("button", { name: "Delete this site" }).click();
      await expectErrorBeside(dialog.getByLabel(`Type ${slug} to confirm`), /not the site's name/);
    }
    await dialog.getByLabel(`Type ${slug} to confirm`).fill(slug);
    await dialog.getByRole("button", { name: "Delete this site" }).click();
    await expect(page.getByRole("heading", { level: 1, name: "Sites" })).toBeVisible();
    await until("the site's remains to be gone", async () => (await remains(site)).length === 0);
    await page.reload();
    await expect(page.getByRole("link", { name: "Still" })).toBeHidden();
  });
});

/** The deployment whose page this is comes to be live. */
const live = (page: Page) =>
  until("the site to be live", () => reloadedShows(page, page.getByRole("link", { name: "Visit" })), 90);

async function reloadedShows(page: Page, what: Locator): Promise<boolean> {
  await page.reload();
  return what.isVisible();
}
