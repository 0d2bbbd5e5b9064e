// Accounts: the first one by the set-up token, an installation that is closed, another name, another password.

import fs from "node:fs";
import { Api, newAccount } from "../support/api";
import { expectErrorBeside, expectSound, hydrated, signIn } from "../support/browser";
import { startPlatform } from "../support/platform";
import { expect, test } from "../support/test";
import { until } from "../support/until";

test.describe("an installation by invitation", () => {
  test.describe.configure({ mode: "serial" });
  const first = newAccount();
  let closed: Awaited<ReturnType<typeof startPlatform>>;

  // Hooks have one too, before there is anything.
  test.use({ baseURL: async ({}, use) => use(closed?.running.url) });
  test.beforeAll(async () => {
    closed = await startPlatform("by-invitation", { SIGNUP: "invite" });
  });
  test.afterAll(() => closed.leave());

  const setupToken = () => /set-up token:\s+(\S+)/.exec(fs.readFileSync(closed.running.log, "utf8"))?.[1];

  for (const javaScriptEnabled of [true, false]) {
    test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
      test.use({ javaScriptEnabled });

      test("tells beside its field that a set-up token is wrong", async ({ page }) => {
        await page.goto("/sign-up");
        await hydrated(page);
        await page.getByLabel("Set-up token").fill("not the token");
        await page.getByLabel("Name").fill(first.name);
        await page.getByLabel("E-mail").fill(first.email);
        await page.getByLabel("Password").fill(first.password);
        await page.getByRole("button", { name: "Create account" }).click();
        await expectErrorBeside(page.getByLabel("Set-up token"), /not valid/);
        await expect(page.getByLabel("E-mail")).toHaveValue(first.email);
      });
    });
  }

  test("has a sound page for its first account", async ({ page }) => {
    await expectSound(page, "/sign-up", "Create an account");
    await expect(page.getByLabel("Set-up token")).toBeVisible();
  });

  test("lets in who has the set-up token", async ({ page }) => {
    const token = await until("the set-up token to be printed", setupToken);
    await page.goto("/sign-up");
    await hydrated(page);
    await page.getByLabel("Set-up token").fill(token);
    await page.getByLabel("Name").fill(first.name);
    await page.getByLabel("E-mail").fill(first.email);
    await page.getByLabel("Password").fill(first.password);
    await page.getByRole("button", { name: "Create account" }).click();
    await expect(page.getByText("Your first site is a minute away")).toBeVisible();
  });

  test("is closed from then on, and says so", async ({ page }) => {
    await expectSound(page, "/sign-up", "Create an account");
    await expect(page.getByText("By invitation only")).toBeVisible();
    await expect(page.getByRole("button", { name: "Create account" })).toHaveCount(0);
    for (const path of ["/", "/sign-in"]) {
      await page.goto(path);
      await expect(page.getByRole("link", { name: "Sign in" }).first()).toBeVisible();
      await expect(page.locator('a[href="/sign-up"]')).toHaveCount(0);
    }
  });

  test("takes no form that is posted all the same", async ({ request }) => {
    const headers = { accept: "application/json", origin: closed.running.url };
    const form = { ...newAccount(), setup_token: setupToken() ?? "" };
    const answer = await request.post("/_fn/sign_up", { headers, form });
    expect(answer.status()).toBe(403);
    expect(await answer.text()).toContain("signup_closed");
  });
});

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    test("one changes one's name", async ({ page }) => {
      const account = newAccount();
      await Api.register(account);
      await signIn(page, account);
      await page.goto("/account");
      await hydrated(page);
      await page.getByLabel("Name").fill(" ");
      await page.getByRole("button", { name: "Save" }).click();
      await expectErrorBeside(page.getByLabel("Name"));
      await page.getByLabel("Name").fill("Ada King");
      await page.getByRole("button", { name: "Save" }).click();
      if (javaScriptEnabled) await expect(page.getByText("Your new name is saved.")).toBeVisible();
      await expect(page.getByLabel("Name")).not.toHaveAttribute("aria-invalid");
      await page.reload();
      await expect(page.getByLabel("Name")).toHaveValue("Ada King");
    });

    test("one changes one's password", async ({ page }) => {
      const account = newAccount();
      const fresh = { ...account, password: "seven brass lamps" };
      await Api.register(account);
      await signIn(page, account);
      await page.goto("/account");
      await hydrated(page);
      const change = async (current: string, wanted: string) => {
        await page.getByLabel("Current password").fill(current);
        await page.getByLabel("New password").fill(wanted);
        await page.getByRole("button", { name: "Change password" }).click();
      };
      await change("not my password", fresh.password);
      await expectErrorBeside(page.getByLabel("Current password"), /not your current password/);
      await change(account.password, account.email);
      await expectErrorBeside(page.getByLabel("New password"), /Leave your name and your address out/);

      await change(account.password, fresh.password);
      if (javaScriptEnabled) await expect(page.getByText("Your password is changed.")).toBeVisible();
      await expect(page.getByLabel("New password")).not.toHaveAttribute("aria-invalid");
      await page.reload();
      await expect(page.getByRole("heading", { level: 1, name: "Account" })).toBeVisible();
      await expect(Api.signIn(account)).rejects.toThrow("bad_credentials");
      await Api.signIn(fresh);
    });
  });
}
