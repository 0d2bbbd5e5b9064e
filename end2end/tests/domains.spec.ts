// A domain of one's own, by its page: added, proven by a DNS record, made the primary one, removed.

import { type Account, Api, newAccount, unique } from "../support/api";
import { complaints, expectErrorBeside, expectSound, hydrated, signIn } from "../support/browser";
import { setTexts } from "../support/dns";
import { expect, test } from "../support/test";
import { visitHost } from "../support/visit";

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "in a browser" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    let account: Account;
    let api: Api;
    let site: { id: string; slug: string };

    test.beforeAll(async () => {
      account = newAccount();
      api = await Api.register(account);
      const slug = unique("named");
      const made = await api.post("/sites", { name: "Named", slug, source: { template: "static" } });
      expect(made.status).toBe(201);
      site = { id: made.body.id, slug };
      await api.live(made.body.deployment_id);
    });
    test.afterAll(() => api.delete(`/sites/${site.id}`));

    test("a domain leads to the site from its proof to its removal", async ({ page }) => {
      test.setTimeout(120_000);
      const heard = complaints(page);
      const ready = () => (javaScriptEnabled ? hydrated(page) : Promise.resolve());
      const host = `${site.slug}.example.org`;
      const main = page.getByRole("main");
      const field = main.getByRole("textbox", { name: "Domain" });
      const line = main.getByRole("listitem").filter({ hasText: host });
      await signIn(page, account);

      await page.goto(`/sites/${site.id}`);
      await main.getByRole("link", { name: "Domains" }).click();
      await expect(page.getByRole("heading", { level: 1, name: "Domains" })).toBeVisible();
      await expect(main).toContainText(`${site.slug}.localhost`);
      await ready();
      await field.fill("*.example.org");
      await main.getByRole("button", { name: "Add domain" }).click();
      await expectErrorBeside(field, /wildcard/);
      await field.fill(host);
      await main.getByRole("button", { name: "Add domain" }).click();
      await expect(line).toContainText("Not verified");
      const [claim] = (await api.get(`/sites/${site.id}/domains`)).body.items;
      const { record } = claim.verification;
      await expect(line).toContainText(record.name);
      await expect(line).toContainText(record.value);

      await ready();
      await line.getByRole("button", { name: "Check now" }).click();
      await expect(line).toContainText("There is no TXT record");
      expect(await visitHost(host)).toMatchObject({ status: 404 });
      setTexts(record.name, [record.value]);
      await ready();
      await line.getByRole("button", { name: "Check now" }).click();
      await expect(line).toContainText("Verified");
      await expect(line).not.toContainText("Not verified");
      // The page is told of the proof as soon as it holds; the proxy follows a moment later.
      await expect.poll(async () => (await visitHost(host)).status).toBe(200);

      await ready();
      await line.getByRole("button", { name: "Make primary" }).click();
      await expect(line.getByRole("button", { name: "No longer primary" })).toBeVisible();
      await page.goto(`/sites/${site.id}`);
      await expect(main.getByRole("link", { name: host })).toHaveAttribute("href", new RegExp(host));

      await page.goto(`/sites/${site.id}/environments/production/domains`);
      await ready();
      await line.getByRole("link", { name: `Remove ${host}` }).click();
      await line.getByRole("link", { name: "Keep it" }).click();
      await line.getByRole("link", { name: `Remove ${host}` }).click();
      await ready();
      await line.getByRole("button", { name: `Remove ${host}` }).click();
      await expect(main).toContainText("No domains yet");
      await expect.poll(async () => (await visitHost(host)).status).toBe(404);
      expect(heard).toEqual([]);
    });

    if (javaScriptEnabled) {
      test("the page can be used by everybody", async ({ page }) => {
        test.setTimeout(120_000);
        await signIn(page, account);
        const path = `/sites/${site.id}/environments/production/domains`;
        await expectSound(page, path, "Domains");
        const made = await api.post(`/sites/${site.id}/domains`, { host: `sound-${site.slug}.example.org` });
        expect(made.status).toBe(201);
        await expectSound(page, path, "Domains");
      });
    }
  });
}
