// The audit: found from the account, filtered, exported, and closed to those it is not for.

import { readFile } from "node:fs/promises";
import { Api, newAccount } from "../support/api";
import { findings, hydrated, signIn } from "../support/browser";
import { platform } from "../support/platform";
import { expect, test } from "../support/test";

const account = newAccount();

test.beforeAll(async () => {
  await Api.register(account);
});

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    test("the audit is found from the account, filtered and exported", async ({ page }) => {
      await signIn(page, account);
      await page.goto("/account");
      await page.getByRole("link", { name: "Audit", exact: true }).click();
      await expect(page.getByRole("heading", { name: "Audit", level: 1 })).toBeVisible();
      await page.getByRole("navigation", { name: "Audits of your teams" }).getByRole("link").first().click();
      await expect(page).toHaveURL(/\/teams\/[^/]+\/audit$/);
      if (javaScriptEnabled) await hydrated(page);

      await page.getByRole("combobox", { name: "What" }).selectOption("Domains");
      await page.getByRole("button", { name: "Filter" }).click();
      await expect(page).toHaveURL(/action=domain/);
      await expect(page.getByText("Nothing was found")).toBeVisible();
      await expect(page.getByRole("combobox", { name: "What" })).toHaveValue("domain");
      if (javaScriptEnabled) expect(await findings(page)).toEqual([]);
      await page.getByRole("link", { name: "All entries" }).click();
      await expect(page).toHaveURL(/\/audit$/);

      const download = page.waitForEvent("download");
      await page.getByRole("link", { name: "Export as CSV" }).click();
      const file = await (await download).path();
      expect(await readFile(file, "utf8")).toMatch(/^"at","action","actor"/);
    });
  });
}

test("others see neither a team's audit nor everybody's", async ({ page }) => {
  const other = newAccount();
  await Api.register(other);
  await signIn(page, account);
  await page.goto("/account/audit");
  const address = await page
    .getByRole("navigation", { name: "Audits of your teams" })
    .getByRole("link")
    .first()
    .getAttribute("href");
  expect((await page.goto("/admin/audit"))?.status()).toBe(403);
  await page.context().clearCookies();
  await signIn(page, other);
  expect((await page.goto(address ?? ""))?.status()).toBe(404);
  const refused = await fetch(`${platform().url}/api/v1/audit`);
  expect(refused.status).toBe(401);
});
