// What is done by mailed links, what one is signed in with, and deleting one's account.

import os from "node:os";
import path from "node:path";
import fs from "node:fs";
import { newAccount } from "../support/api";
import { expectErrorBeside, expectSound, hydrated, signIn } from "../support/browser";
import { Mailbox } from "../support/mailbox";
import { startPlatform } from "../support/platform";
import { expect, test } from "../support/test";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "webmeteor-mails-"));
const mailbox = new Mailbox(folder);
let mailing: Awaited<ReturnType<typeof startPlatform>>;

test.use({ baseURL: async ({}, use) => use(mailing?.running.url) });
test.beforeAll(async () => {
  mailing = await startPlatform("mailing", {
    SIGNUP: "open",
    MAIL: `file:${folder}`,
    MAIL_FROM: "WebMeteor <no-reply@example.org>",
  });
});
test.afterAll(async () => {
  await mailing.leave();
  fs.rmSync(folder, { recursive: true, force: true });
});

test("the pages for who is not signed in are sound", async ({ page }) => {
  await expectSound(page, "/forgot", "Forgot your password?");
  await expectSound(page, "/reset?token=void", "This link does not work");
  await expectSound(page, "/confirm?token=void", "This link does not work");
  await expectSound(page, "/done/registration-sent", "Look into your mail");
});

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    test("from registering to deleting the account", async ({ page, browser }) => {
      const account = newAccount();
      const moved = { ...account, email: `moved-${account.email}`, password: "seven brass lamps" };

      await test.step("an account is made when its link is confirmed", async () => {
        await page.goto("/sign-up");
        await hydrated(page);
        await page.getByLabel("Name").fill(account.name);
        await page.getByLabel("E-mail").fill(account.email);
        await page.getByLabel("Password").fill(account.password);
        await page.getByRole("button", { name: "Create account" }).click();
        await expect(page.getByRole("heading", { level: 1, name: "Look into your mail" })).toBeAttached();
        await page.goto(await mailbox.link(account.email));
        await hydrated(page);
        await page.getByRole("button", { name: "Make the account" }).click();
        await expect(page.getByText("Sign in with the password that you chose.")).toBeVisible();
      });

      await test.step("a forgotten password is set by a link, once", async () => {
        await page.goto("/forgot");
        await hydrated(page);
        await page.getByLabel("E-mail").fill(account.email);
        await page.getByRole("button", { name: "Send the link" }).click();
        await expect(page.getByText("If there is an account with this address")).toBeVisible();
        const link = await mailbox.link(account.email, 2);
        await page.goto(link);
        await hydrated(page);
        await page.getByLabel("New password").fill("password1234");
        await page.getByRole("button", { name: "Set the password" }).click();
        await expectErrorBeside(page.getByLabel("New password"), /first that are tried/);
        await page.getByLabel("New password").fill(moved.password);
        await page.getByRole("button", { name: "Set the password" }).click();
        await expect(page.getByText("Sign in with the new password.")).toBeVisible();
        await page.goto(link);
        await expect(page.getByText("This link was used before")).toBeVisible();
      });

      await test.step("the address is changed from the new one", async () => {
        await signIn(page, { ...account, password: moved.password });
        await page.goto("/account");
        await hydrated(page);
        await page.getByLabel("New address").fill(moved.email);
        await page.getByLabel("Your password").first().fill(moved.password);
        await page.getByRole("button", { name: "Change address" }).click();
        await expect(page.getByText("A mail is on its way to the new address.")).toBeVisible();
        await page.goto(await mailbox.link(moved.email));
        await hydrated(page);
        await page.getByRole("button", { name: "Change it" }).click();
        await expect(page.getByText("From now on you sign in with it")).toBeVisible();
      });

      await test.step("another browser is signed out", async () => {
        const elsewhere = await browser.newContext({ baseURL: mailing.running.url, javaScriptEnabled });
        const other = await elsewhere.newPage();
        await signIn(other, moved);
        if (javaScriptEnabled) await expectSound(page, "/account/sessions", "Sessions");
        await page.goto("/account/sessions");
        await hydrated(page);
        await expect(page.getByText("This one")).toHaveCount(1);
        await page.getByRole("button", { name: "Sign out all others" }).click();
        await expect(page.getByRole("button", { name: "Sign out all others" })).toHaveCount(0);
        await other.goto("/account");
        await expect(other).toHaveURL(/\/sign-in/);
        await elsewhere.close();
      });

      await test.step("the account is deleted", async () => {
        await page.goto("/account");
        await hydrated(page);
        await page.getByRole("button", { name: "Delete account" }).click();
        const dialog = page.getByRole("dialog");
        await dialog.getByLabel(`Type ${moved.email} to confirm`).fill("somebody@example.org");
        await dialog.getByLabel("Your password").fill(moved.password);
        await dialog.getByRole("button", { name: "Delete this account" }).click();
        await expectErrorBeside(dialog.getByLabel(`Type ${moved.email} to confirm`));
        await dialog.getByLabel(`Type ${moved.email} to confirm`).fill(moved.email);
        await dialog.getByLabel("Your password").fill(moved.password);
        await dialog.getByRole("button", { name: "Delete this account" }).click();
        await expect(page.getByRole("heading", { level: 1, name: "Your account is deleted" })).toBeAttached();
      });
    });
  });
}
