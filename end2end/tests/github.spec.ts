// GitHub, before its App is registered: nobody is offered what does nothing.

import { Api, newAccount } from "../support/api";
import { findings, hydrated, signIn } from "../support/browser";
import { expect, test } from "../support/test";

const account = newAccount();

test.beforeAll(async () => {
  await Api.register(account);
});

test("a site from GitHub says what is missing as long as there is no App", async ({ page }) => {
  await signIn(page, account);
  await page.goto("/sites/new");
  await page.getByRole("link", { name: "From a repository on GitHub" }).click();
  await expect(page.getByText("GitHub is not connected yet")).toBeVisible();
  await expect(page.getByRole("link", { name: "Install the GitHub App" })).toHaveCount(0);
  await hydrated(page);
  expect(await findings(page)).toEqual([]);
});

test("the App is registered by administrators alone", async ({ page }) => {
  await signIn(page, account);
  await page.goto("/admin/github");
  await expect(page.getByRole("main")).toBeVisible();
  await expect(page.getByRole("button", { name: "Register on GitHub" })).toHaveCount(0);
});
