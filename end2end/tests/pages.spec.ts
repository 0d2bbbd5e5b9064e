// Every page: for every reader, on every screen, in light and dark, and by keyboard.

import type { BrowserContext, Locator, Page } from "@playwright/test";
import { type Account, Api, newAccount, unique } from "../support/api";
import { complaints, expectSound, findings, hydrated, signIn } from "../support/browser";
import { platform } from "../support/platform";
import { announce } from "../support/webhook";
import { expect, test } from "../support/test";

type Visitor = "nobody" | "newcomer" | "owner";
type Cookies = Awaited<ReturnType<BrowserContext["cookies"]>>;

const accounts: Record<Exclude<Visitor, "nobody">, Account> = { newcomer: newAccount(), owner: newAccount("Olu Ade") };
const cookies: Record<Visitor, Cookies> = { nobody: [], newcomer: [], owner: [] };
const made = { site: "", deployment: "", delivery: "" };

test.beforeAll(async ({ browser }) => {
  test.setTimeout(240_000);
  const [, owner] = [await Api.register(accounts.newcomer), await Api.register(accounts.owner)];
  const site = await owner.post("/sites", { name: "A page", slug: unique("page"), source: { template: "static" } });
  expect(site.status).toBe(201);
  made.site = site.body.id;
  made.deployment = site.body.deployment_id;
  const { secret } = site.body.webhook;
  const ignored = await announce({ site: made.site, secret, branch: "docs", commit: "b3f1c2d4e5a60718293a4b5c6d7e8f9001122334" });
  made.delivery = ignored.body.delivery_id;
  for (const visitor of ["newcomer", "owner"] as const) {
    const context = await browser.newContext({ baseURL: platform().url });
    await signIn(await context.newPage(), accounts[visitor]);
    cookies[visitor] = await context.cookies();
    await context.close();
  }
  await owner.live(made.deployment);
});

const PAGES: { name: string; visitor: Visitor; path: () => string; heading: string | RegExp }[] = [
  { name: "landing", visitor: "nobody", path: () => "/", heading: /Push/ },
  { name: "sign-up", visitor: "nobody", path: () => "/sign-up", heading: "Create an account" },
  { name: "sign-in", visitor: "nobody", path: () => "/sign-in", heading: "Sign in" },
  { name: "sites, without any", visitor: "newcomer", path: () => "/sites", heading: "Sites" },
  { name: "sites, with one", visitor: "owner", path: () => "/sites", heading: "Sites" },
  { name: "new site", visitor: "owner", path: () => "/sites/new", heading: "New site" },
  { name: "site", visitor: "owner", path: () => `/sites/${made.site}`, heading: "A page" },
  { name: "settings", visitor: "owner", path: () => `/sites/${made.site}/settings`, heading: "Settings" },
  { name: "new environment", visitor: "owner", path: () => `/sites/${made.site}/new-environment`, heading: "New environment" },
  { name: "environment", visitor: "owner", path: () => `/sites/${made.site}/environments/production`, heading: "Environment" },
  { name: "variables", visitor: "owner", path: () => `/sites/${made.site}/environments/production/variables`, heading: "Variables" },
  { name: "webhooks", visitor: "owner", path: () => `/sites/${made.site}/webhooks`, heading: "Webhooks" },
  { name: "webhook's secret", visitor: "owner", path: () => `/sites/${made.site}/webhooks?secret=show`, heading: "Webhooks" },
  { name: "previews", visitor: "owner", path: () => `/sites/${made.site}/previews`, heading: "Previews" },
  { name: "delivery", visitor: "owner", path: () => `/sites/${made.site}/webhooks/${made.delivery}`, heading: "Delivery" },
  { name: "deployment", visitor: "owner", path: () => `/deployments/${made.deployment}`, heading: "Deployment #1" },
  { name: "queue", visitor: "owner", path: () => "/queue", heading: "Queue" },
  { name: "account", visitor: "owner", path: () => "/account", heading: "Account" },
  { name: "tokens", visitor: "owner", path: () => "/account/tokens", heading: "API tokens" },
  { name: "404", visitor: "nobody", path: () => "/nowhere", heading: /no page|Not found/i },
];

for (const { name, visitor, path, heading } of PAGES) {
  test(`the page “${name}” is sound at every width, in light and dark`, async ({ page, context }) => {
    const heard = complaints(page);
    await context.addCookies(cookies[visitor]);
    await expectSound(page, path(), heading);
    expect(heard).toEqual([]);
  });
}

test("the theme can be chosen, and the choice is kept", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto("/");
  await hydrated(page);
  const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await background();
  await page.getByRole("button", { name: "Change between light and dark" }).click();
  expect(await background()).not.toBe(light);
  const dark = await background();
  await page.reload();
  expect(await background()).toBe(dark);
});

test("a stranger is sent to sign in, and then back to where it was", async ({ page }) => {
  await page.goto("/sites/new");
  await expect(page).toHaveURL(/\/sign-in\?next=/);
  await page.getByLabel("E-mail").fill(accounts.newcomer.email);
  await page.getByLabel("Password").fill(accounts.newcomer.password);
  await page.getByRole("main").getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "New site" })).toBeVisible();
});

test("another team's site and deployment are not there", async ({ page, context }) => {
  await context.addCookies(cookies.newcomer);
  for (const path of [`/sites/${made.site}`, `/sites/${made.site}/settings`, `/sites/${made.site}/webhooks/${made.delivery}`, `/deployments/${made.deployment}`]) {
    const answer = await page.goto(path);
    expect(answer?.status(), path).toBe(404);
    await expect(page.getByRole("heading", { level: 1, name: "Not found" })).toBeVisible();
  }
});

test("a page that cannot be had says so, and is tried again", async ({ page, context }) => {
  await context.addCookies(cookies.owner);
  await page.goto("/account");
  await hydrated(page);
  await page.route("**/_fn/queue*", (route) => route.abort());
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Queue" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "This did not work" })).toBeVisible();
  await expect(page.getByText("503 · unreachable")).toBeVisible();
  expect(await findings(page)).toEqual([]);
  await page.unroute("**/_fn/queue*");
  await page.getByRole("link", { name: "Try again" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Queue" })).toBeVisible();
});

test("while a page loads that is shown, without findings", async ({ page, context }) => {
  await context.addCookies(cookies.owner);
  await page.goto("/account");
  await hydrated(page);
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route("**/_fn/queue*", async (route) => {
    await held;
    await route.continue();
  });
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Queue" }).click();
  await expect(page.getByRole("progressbar", { name: "Loading" })).toBeVisible();
  expect(await findings(page)).toEqual([]);
  release();
  await expect(page.getByRole("heading", { level: 1, name: "Queue" })).toBeVisible();
  await expect(page.getByRole("progressbar", { name: "Loading" })).toBeHidden();
});

test("the primary action is reached by keyboard, with visible focus", async ({ page, context }) => {
  await context.addCookies(cookies.owner);
  await page.goto("/sites");
  await hydrated(page);
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to the content" })).toBeFocused();
  await page.keyboard.press("Enter");
  await tabTo(page, page.getByRole("link", { name: "New site" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "New site" })).toBeVisible();
  await tabTo(page, page.getByRole("button", { name: "Create and deploy" }));
});

test("what a deployment logged can be searched and linked to", async ({ page, context }) => {
  await context.addCookies(cookies.owner);
  await page.goto(`/deployments/${made.deployment}#L2`);
  await hydrated(page);
  const log = page.getByRole("region", { name: "Lines of the log" });
  await expect(log.locator(".log-marked")).toHaveCount(1);
  await page.getByRole("searchbox", { name: "Search the log" }).fill("found by");
  await expect(log.locator("mark").first()).toHaveText("Found by");
});

/** Tabs until the element has the focus, and sees that the focus can be seen. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  const isFocused = () => target.evaluate((element) => element === document.activeElement);
  for (let presses = 0; presses < 40 && !(await isFocused()); presses += 1) await page.keyboard.press("Tab");
  await expect(target).toBeFocused();
  const isVisible = await target.evaluate((element) => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
    return (outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 1) || boxShadow !== "none";
  });
  expect(isVisible, "the focus can be seen").toBe(true);
}
