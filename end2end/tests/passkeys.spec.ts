// Passkeys, with an authenticator of the browser's own making: added, used to sign in, removed.

import type { CDPSession, Page } from "@playwright/test";
import { Api, newAccount } from "../support/api";
import { findings, hydrated, signIn } from "../support/browser";
import { expect, test } from "../support/test";
import { App } from "../support/totp";

/** A phone that verifies its owner at once. */
async function addAuthenticator(page: Page): Promise<{ session: CDPSession; id: string }> {
  const session = await page.context().newCDPSession(page);
  await session.send("WebAuthn.enable");
  const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return { session, id: authenticatorId };
}

test("a passkey is added, signs in without an address, and is removed", async ({ page }) => {
  const account = newAccount();
  await Api.register(account);
  await signIn(page, account);
  const phone = await addAuthenticator(page);
  await page.goto("/account/security");
  await hydrated(page);
  await page.getByRole("button", { name: "Add a passkey" }).click();
  const dialog = page.getByRole("dialog", { name: "Add a passkey" });
  await dialog.getByLabel("Name").fill("My phone");
  await dialog.getByLabel("Your password").fill(account.password);
  await dialog.getByRole("button", { name: "Go on" }).click();
  const line = page.getByRole("listitem").filter({ hasText: "My phone" });
  await expect(line).toContainText("Never used");
  expect(await findings(page)).toEqual([]);

  await page.context().clearCookies();
  await page.goto("/sign-in");
  await hydrated(page);
  await page.getByRole("button", { name: "Use a passkey" }).click();
  await page.waitForURL("**/sites");
  await page.goto("/account/security");
  await expect(line).toContainText("Used");

  // As the second step, in place of the code.
  await hydrated(page);
  await page.getByRole("main").locator("form").filter({ has: page.getByRole("button", { name: "Set up" }) })
    .getByLabel("Your password").fill(account.password);
  await page.getByRole("button", { name: "Set up" }).click();
  const app = new App((await page.getByLabel("Or type this key").textContent()) ?? "");
  await page.getByLabel("Code", { exact: true }).fill(app.code());
  await page.getByRole("button", { name: "Turn on" }).click();
  await expect(page.getByRole("list", { name: "Recovery codes" })).toBeVisible();
  await page.context().clearCookies();
  await page.goto("/sign-in");
  await hydrated(page);
  await page.getByLabel("E-mail").fill(account.email);
  await page.getByLabel("Password").fill(account.password);
  await page.getByRole("main").getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Your second factor" })).toBeVisible();
  await hydrated(page);
  await page.getByRole("button", { name: "Use a passkey" }).click();
  await page.waitForURL("**/sites");

  await page.goto("/account/security");
  await hydrated(page);
  await page.getByRole("button", { name: "Remove My phone" }).click();
  await expect(line).toHaveCount(0);
  await page.context().clearCookies();
  await page.goto("/sign-in");
  await hydrated(page);
  await page.getByRole("button", { name: "Use a passkey" }).click();
  await expect(page.getByText("No account is opened by this passkey")).toBeVisible();
  await phone.session.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId: phone.id });
});

test("one that verifies nobody is not taken", async ({ page }) => {
  const account = newAccount();
  await Api.register(account);
  await signIn(page, account);
  const phone = await addAuthenticator(page);
  await phone.session.send("WebAuthn.setUserVerified", { authenticatorId: phone.id, isUserVerified: false });
  await page.goto("/account/security");
  await hydrated(page);
  await page.getByRole("button", { name: "Add a passkey" }).click();
  const dialog = page.getByRole("dialog", { name: "Add a passkey" });
  await dialog.getByLabel("Name").fill("My phone");
  await dialog.getByLabel("Your password").fill(account.password);
  await dialog.getByRole("button", { name: "Go on" }).click();
  await expect(dialog.getByText("No passkey was used")).toBeVisible();
});
