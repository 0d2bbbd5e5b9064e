// Teams: made, people invited into them by mail's link, roles changed, sites given away, and left.

import type { Page } from "@playwright/test";
import { Api, newAccount, unique, type Account } from "../support/api";
import { expectSound, findings, hydrated, signIn } from "../support/browser";
import { expect, test } from "../support/test";

async function makeTeam(page: Page, name: string): Promise<void> {
  await page.goto("/teams");
  await page.getByRole("textbox", { name: "Name" }).fill(name);
  await page.getByRole("button", { name: "Make the team" }).click();
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
}

async function invite(page: Page, email: string, role: string): Promise<string> {
  await page.getByRole("navigation", { name: "Team" }).getByRole("link", { name: "Invitations" }).click();
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Role").selectOption(role);
  await page.getByRole("button", { name: "Invite", exact: true }).click();
  const link = await page.getByLabel("Invitation link").textContent();
  expect(link).toMatch(/\/invitations\/[0-9a-f]{64}$/);
  return new URL(link ?? "").pathname;
}

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    test("somebody with an account signs in, accepts by a button, and is removed", async ({ page, browser }) => {
      const [owner, guest]: Account[] = [newAccount("Ada Owner"), newAccount("Bob Guest")];
      await Api.register(owner);
      const api = await Api.register(guest);
      const name = unique("Acme");
      await signIn(page, owner!);
      await makeTeam(page, name);
      const link = await invite(page, guest!.email, "developer");
      if (javaScriptEnabled) expect(await findings(page)).toEqual([]);

      const context = await browser.newContext({ javaScriptEnabled, baseURL: new URL(page.url()).origin });
      const theirs = await context.newPage();
      await theirs.goto(link);
      await expect(theirs.getByText(`into the team “${name}”`)).toBeVisible();
      expect((await api.get("/teams")).body.items).toHaveLength(1);
      await theirs.getByRole("link", { name: "Sign in to accept" }).click();
      await theirs.getByLabel("E-mail").fill(guest!.email);
      await theirs.getByLabel("Password").fill(guest!.password);
      await theirs.getByRole("main").getByRole("button", { name: "Sign in" }).click();
      await theirs.getByRole("button", { name: "Accept" }).click();
      await expect(theirs.getByRole("heading", { level: 1, name })).toBeVisible();
      await expect(theirs.getByRole("listitem").filter({ hasText: guest!.email })).toContainText("(you)");
      await theirs.goto(link);
      await expect(theirs.getByText("This invitation was accepted")).toBeVisible();

      await page.getByRole("navigation", { name: "Team" }).getByRole("link", { name: "Members" }).click();
      const line = page.getByRole("listitem").filter({ hasText: guest!.email });
      await line.getByLabel("Role of Bob Guest").selectOption("Viewer");
      await line.getByRole("button", { name: "Save" }).click();
      await expect.poll(async () => (await api.get("/teams")).body.items.at(-1).role).toBe("viewer");
      if (javaScriptEnabled) await hydrated(page);
      else await page.reload();
      await line.getByText("Remove", { exact: true }).click();
      await line.getByRole("button", { name: "Remove Bob Guest" }).click();
      await expect(page.getByText(guest!.email)).toHaveCount(0);
      await theirs.reload();
      await theirs.goto(new URL(page.url()).pathname);
      await expect(theirs.getByRole("heading", { level: 1, name })).toHaveCount(0);
      await context.close();
    });

    test("somebody new makes an account on the spot", async ({ page, browser }) => {
      const [owner, guest]: Account[] = [newAccount("Ada Owner"), newAccount("Eve New")];
      await Api.register(owner);
      await signIn(page, owner!);
      const name = unique("Acme");
      await makeTeam(page, name);
      const link = await invite(page, guest!.email, "viewer");
      const context = await browser.newContext({ javaScriptEnabled, baseURL: new URL(page.url()).origin });
      const theirs = await context.newPage();
      await theirs.goto(link);
      if (javaScriptEnabled) await hydrated(theirs);
      await theirs.getByLabel("Name").fill(guest!.name);
      await theirs.getByLabel("Password").fill(guest!.password);
      await theirs.getByRole("button", { name: "Create account and accept" }).click();
      await theirs.waitForURL("**/sites");
      await theirs.goto("/teams");
      await expect(theirs.getByRole("link", { name: new RegExp(name) }).first()).toBeVisible();
      await context.close();
    });
  });
}

test("a site is made in a chosen team, found by it, and given to another", async ({ page }) => {
  const owner = newAccount();
  const api = await Api.register(owner);
  await signIn(page, owner);
  const name = unique("Acme");
  await makeTeam(page, name);
  const team = (await api.get("/teams")).body.items.find((it: { name: string }) => it.name === name);
  await page.goto("/sites/new");
  await hydrated(page);
  await page.getByRole("radio", { name: /Empty repository/ }).check();
  await page.getByRole("textbox", { name: "Name" }).fill(unique("Shop"));
  await page.getByLabel("Team").selectOption(team.id);
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.waitForURL(/\/sites\/[0-9a-f-]{36}$/);
  const address = new URL(page.url()).pathname;
  await page.goto(`/sites?team=${team.slug}`);
  await expect(page.getByRole("navigation", { name: "Teams" }).getByRole("link", { name })).toHaveAttribute("aria-current", "page");
  await expect(page.locator(`a[href="${address}"]`)).toBeVisible();

  await page.goto(`${address}/settings`);
  await hydrated(page);
  await page.getByRole("button", { name: "Give away" }).click();
  expect(await findings(page)).toEqual([]);
  await page.getByRole("button", { name: "Give it to this team" }).click();
  await page.waitForURL(`**${address}`);
  const { body } = await api.get(address);
  expect(body.team.id).not.toBe(team.id);
  expect(body.repository.clone_url).toContain(`/git/${body.team.slug}/`);
});

test("the pages of a team can be used by everybody", async ({ page }) => {
  const owner = newAccount();
  const api = await Api.register(owner);
  const { body: team } = await api.post("/teams", { name: unique("Acme") });
  const { body: made } = await api.post(`/teams/${team.id}/invitations`, { email: newAccount().email, role: "admin" });
  await signIn(page, owner);
  await expectSound(page, "/teams", "Teams");
  for (const end of ["", "/invitations", "/quotas", "/audit", "/settings"]) await expectSound(page, `/teams/${team.slug}${end}`, team.name);
  await expectSound(page, new URL(made.link).pathname, "Invitation");
});
