// A repository over SSH: the key is shown, added at the forge, and changed, by the pages.

import { Api, newAccount, unique } from "../support/api";
import { expectErrorBeside, expectNoSidewaysScroll, findings, hydrated, signIn } from "../support/browser";
import { commit, newRepository } from "../support/git";
import { SshServer } from "../support/sshd";
import { expect, test } from "../support/test";

test.describe.configure({ mode: "serial", timeout: 90_000 });

const name = unique("by-key");
const account = newAccount();
const server = new SshServer();

let api: Api;
let repository: string;
let site: any;

test.beforeAll(async () => {
  repository = await newRepository(name);
  await commit(repository, "Begin", { "index.html": "over ssh" });
  await server.listen();
  api = await Api.register(account);
});

test.afterAll(async () => {
  if (site) await api.delete(`/sites/${site.id}`);
  server.close();
});

test("a site over SSH is made in two steps: the key is shown, and once it is added the site is made", async ({ page }) => {
  await signIn(page, account);
  await page.goto("/sites/new");
  await hydrated(page);
  await page.getByRole("radio", { name: /Git repository/ }).check();
  await page.getByLabel("Name").fill(name);
  const address = page.getByRole("textbox", { name: "Repository" });
  await address.fill("git@-oProxyCommand=x:me/site.git");
  const create = page.getByRole("button", { name: "Create and deploy" });
  await create.click();
  await expectErrorBeside(address);
  await address.fill(server.url(repository));
  await create.click();
  await expectErrorBeside(address, /Add the deploy key/);
  const key = page.getByText(/^ssh-ed25519 /);
  await expect(key).toBeVisible();
  await expectNoSidewaysScroll(page);
  expect(await findings(page)).toEqual([]);
  server.authorize((await key.textContent()) ?? "");
  await create.click();
  await page.waitForURL("**/deployments/*");
  await expect(page.getByRole("link", { name: "Visit" })).toBeVisible({ timeout: 60_000 });
  site = (await api.get("/sites")).body.items[0];
});

test("a new key takes the old one's place in two steps too", async ({ page }) => {
  await signIn(page, account);
  await page.goto(`/sites/${site.id}/settings`);
  await hydrated(page);
  const panel = page.getByRole("region", { name: "Repository" });
  await panel.getByLabel("Make a new deploy key").check();
  await panel.getByRole("button", { name: "Check and use" }).click();
  await expectErrorBeside(panel.getByRole("textbox", { name: "Repository" }), /Add the deploy key/);
  const keys = panel.getByText(/^ssh-ed25519 /);
  await expect(keys).toHaveCount(2);
  expect(await findings(page)).toEqual([]);
  server.authorize((await keys.first().textContent()) ?? "");
  await panel.getByRole("button", { name: "Check and use" }).click();
  await expect(page.getByText("The next deployment fetches from there.")).toBeVisible();
  await expect(keys).toHaveCount(1);
  await expect(panel.getByLabel("Make a new deploy key")).not.toBeChecked();
  const shown = (await api.get(`/sites/${site.id}`)).body.repository.deploy_key;
  expect(shown.fingerprint).not.toBe(site.repository.deploy_key.fingerprint);
});
