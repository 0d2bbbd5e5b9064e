// The API's document as a page: found, searched and read without scripts, at every width and in both schemes.

import { Api, newAccount } from "../support/api";
import { findings, signIn } from "../support/browser";
import { platform } from "../support/platform";
import { expect, test } from "../support/test";

const account = newAccount();

test.beforeAll(async () => {
  await Api.register(account);
});

test("the API is found from the tokens' page, searched, and read", async ({ page }) => {
  await signIn(page, account);
  await page.goto("/account/tokens");
  await page.getByRole("main").getByRole("link", { name: "the API" }).click();
  await expect(page.getByRole("heading", { name: "API", level: 1 })).toBeVisible();
  expect(await findings(page)).toEqual([]);

  await page.getByRole("searchbox", { name: "Search operations" }).fill("rollback release_gone");
  await page.getByRole("button", { name: "Search" }).click();
  const found = page.locator("details");
  await expect(found).toHaveCount(1);
  await expect(found).toContainText("/api/v1/deployments/{id}/rollback");
  await expect(found.getByText("API tokens with the scope deploy")).toBeVisible();
  await expect(found.getByText(/release_gone/)).toBeVisible();
  await found.getByRole("link", { name: "Rollback" }).click();
  await expect(page.locator("#shape-Rollback")).toBeVisible();
});

test("the document is OpenAPI 3.1, and what it names is there", async () => {
  const answer = await fetch(`${platform().url}/api/v1/openapi.json`);
  const document = (await answer.json()) as { openapi: string; paths: Record<string, unknown> };
  expect(document.openapi).toMatch(/^3\.1/);
  expect(Object.keys(document.paths).length).toBeGreaterThan(30);
});
