// The second factor: set up, asked for at sign-in, recovered from, turned off.

import type { Page } from "@playwright/test";
import { Api, newAccount, type Account } from "../support/api";
import { expectErrorBeside, expectSound, hydrated, signIn } from "../support/browser";
import { expect, test } from "../support/test";
import { App } from "../support/totp";

/** The first step, by the form. */
async function firstStep(page: Page, account: Account, next = ""): Promise<void> {
  await page.goto(`/sign-in${next && `?next=${encodeURIComponent(next)}`}`);
  await page.getByLabel("E-mail").fill(account.email);
  await page.getByLabel("Password").fill(account.password);
  await page.getByRole("main").getByRole("button", { name: "Sign in", exact: true }).click();
}

async function secondStep(page: Page, code: string): Promise<void> {
  await expect(page.getByRole("heading", { level: 1, name: "Your second factor" })).toBeVisible();
  await hydrated(page);
  await page.getByLabel("Code").fill(code);
  await page.getByRole("main").getByRole("button", { name: "Sign in" }).click();
}

async function signOut(page: Page): Promise<void> {
  await page.context().clearCookies();
}

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    test("a second factor is set up, asked for, and turned off", async ({ page }) => {
      const account = newAccount();
      await Api.register(account);
      await signIn(page, account);
      await page.goto("/account/security");
      await hydrated(page);
      await page.getByLabel("Your password").first().fill("not my password");
      await page.getByRole("button", { name: "Set up" }).click();
      await expectErrorBeside(page.getByLabel("Your password").first(), /not your password/);
      await page.getByLabel("Your password").first().fill(account.password);
      await page.getByRole("button", { name: "Set up" }).click();

      await expect(page.getByRole("img", { name: "QR code for your app" })).toBeVisible();
      const app = new App((await page.getByLabel("Or type this key").textContent()) ?? "");
      await hydrated(page);
      await page.getByLabel("Code", { exact: true }).fill("000000");
      await page.getByRole("button", { name: "Turn on" }).click();
      await expectErrorBeside(page.getByLabel("Code", { exact: true }), /not the code/);
      await page.getByLabel("Code", { exact: true }).fill(app.code());
      await page.getByRole("button", { name: "Turn on" }).click();
      const codes = page.getByRole("list", { name: "Recovery codes" }).getByRole("listitem");
      await expect(codes).toHaveCount(10);
      const recovery = await codes.allTextContents();
      await page.goto("/account/security");
      await expect(page.getByText("10 are left.")).toBeVisible();
      await expect(page.getByText(recovery[0] ?? "?")).toHaveCount(0);

      await signOut(page);
      await firstStep(page, account, "/account/tokens");
      await expect(page.getByRole("heading", { level: 1, name: "Your second factor" })).toBeVisible();
      // Half a sign-in opens nothing.
      await page.goto("/sites");
      await expect(page).toHaveURL(/\/sign-in\?next=/);
      await page.goto("/sign-in/code");
      await secondStep(page, "12345");
      await expectErrorBeside(page.getByLabel("Code"), /six digits/);
      await secondStep(page, app.code(1));
      await page.waitForURL("**/account/tokens");

      await signOut(page);
      await firstStep(page, account);
      await secondStep(page, recovery[0] ?? "");
      await page.waitForURL("**/sites");

      await page.goto("/account/security");
      await expect(page.getByText("9 are left.")).toBeVisible();
      await hydrated(page);
      await page.getByRole("button", { name: "Turn off" }).click();
      const dialog = page.getByRole("dialog", { name: "Turn the second factor off" });
      await dialog.getByLabel("Your password").fill(account.password);
      await dialog.getByLabel("Code").fill(recovery[1] ?? "");
      await dialog.getByRole("button", { name: "Turn it off" }).click();
      await expect(page.getByRole("button", { name: "Set up" })).toBeVisible();
      await signOut(page);
      await signIn(page, account);
    });
  });
}

test("the pages are sound", async ({ page }) => {
  const account = newAccount();
  await Api.register(account);
  await signIn(page, account);
  await expectSound(page, "/account/security", "Security");
  await page.getByLabel("Your password").first().fill(account.password);
  await page.getByRole("button", { name: "Set up" }).click();
  await expect(page.getByRole("img", { name: "QR code for your app" })).toBeVisible();
  await expectSound(page, "/account/security", "Security");
  const app = new App((await page.getByLabel("Or type this key").textContent()) ?? "");
  await page.getByLabel("Code", { exact: true }).fill(app.code());
  await page.getByRole("button", { name: "Turn on" }).click();
  await expect(page.getByRole("list", { name: "Recovery codes" })).toBeVisible();
  await expectSound(page, "/account/security", "Security");
  await signOut(page);
  await firstStep(page, account);
  await expect(page.getByRole("heading", { level: 1, name: "Your second factor" })).toBeVisible();
  await expectSound(page, "/sign-in/code", "Your second factor");
});
