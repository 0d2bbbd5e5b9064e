// API tokens: made on their page, used by a program, and removed.

import { Api, newAccount } from "../support/api";
import { findings, hydrated, signIn } from "../support/browser";
import { platform } from "../support/platform";
import { expect, test } from "../support/test";

const account = newAccount();

test.beforeAll(async () => {
  await Api.register(account);
});

const status = async (token: string) =>
  (await fetch(`${platform().url}/api/v1/sites`, { headers: { authorization: `Bearer ${token}` } })).status;

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    test("a token is shown once, opens what it is for, and nothing once it is removed", async ({ page }) => {
      const name = `Pipeline ${javaScriptEnabled}`;
      await signIn(page, account);
      await page.goto("/account");
      await page.getByRole("link", { name: "API tokens" }).click();
      await expect(page.getByRole("heading", { name: "API tokens", level: 1 })).toBeVisible();
      if (javaScriptEnabled) await hydrated(page);

      await page.getByRole("textbox", { name: "Name" }).fill(name);
      await page.getByRole("button", { name: "Make the token" }).click();
      await expect(page.getByText("Choose at least one thing")).toBeVisible();
      await expect(page.getByRole("textbox", { name: "Name" })).toHaveValue(name);
      await page.getByRole("checkbox", { name: "sites:read" }).check();
      await page.getByLabel("Good for").selectOption("30 days");
      await page.getByRole("button", { name: "Make the token" }).click();
      const shown = page.getByLabel("New token");
      await expect(shown).toHaveText(/^wmt_[0-9a-f]{64}$/);
      const token = (await shown.textContent()) ?? "";
      expect(await status(token)).toBe(200);
      if (javaScriptEnabled) expect(await findings(page)).toEqual([]);

      await page.goto("/account/tokens");
      await expect(page.getByText(token)).toHaveCount(0);
      await expect(page.getByText(`…${token.slice(-4)}`)).toBeVisible();
      await expect(page.getByRole("listitem").filter({ hasText: name })).toContainText("Used");
      if (javaScriptEnabled) await hydrated(page);
      await page.getByRole("button", { name: `Remove ${name}` }).click();
      await expect(page.getByRole("button", { name: `Remove ${name}` })).toHaveCount(0);
      expect(await status(token)).toBe(401);
    });
  });
}
