// What the journeys do with a browser's pages.

import { expect, type Locator, type Page } from "@playwright/test";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Account } from "./api";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const WIDTHS = [1440, 390];
const SCHEMES = ["light", "dark"] as const;

/** What the page complains of from now on: errors on its console, and exceptions. */
export function complaints(page: Page): string[] {
  const heard: string[] = [];
  page.on("pageerror", (error) => heard.push(`${page.url()}: ${error.message}`));
  page.on("console", (message) => {
    // A browser also reports what tests ask for: the status of the page itself, a form that is refused, and that
    // what was deleted is gone.
    const { url } = message.location();
    const isStatus = message.text().startsWith("Failed to load resource");
    const isAnswer = url.includes("/_fn/") && /status of (404|422)/.test(message.text());
    const isMeant = isStatus && (url === page.url() || isAnswer);
    if (message.type() === "error" && !isMeant) heard.push(`${page.url()}: ${message.text()}`);
  });
  return heard;
}

/** Signs in by the form. */
export async function signIn(page: Page, account: Account): Promise<void> {
  await page.goto("/sign-in");
  await page.getByLabel("E-mail").fill(account.email);
  await page.getByLabel("Password").fill(account.password);
  await page.getByRole("main").getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL("**/sites");
}

/** Waits until the page's own program runs: it then has fetched all it needs. */
export async function hydrated(page: Page): Promise<void> {
  await page.waitForLoadState("networkidle");
}

/** Marks the page; `isSame` is true as long as it was not loaded again. */
export async function mark(page: Page): Promise<{ isSame: () => Promise<boolean> }> {
  await page.evaluate(() => Object.assign(window, { wasNotLoadedAgain: true }));
  return { isSame: () => page.evaluate(() => "wasNotLoadedAgain" in window) };
}

/** What axe finds wrong (of each rule the first places), by the rules of WCAG 2.2 AA and its own best practices. */
export async function findings(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    // Colours that are just changing are no colours yet; a change may begin another further inside.
    const frame = () => new Promise(requestAnimationFrame);
    const isChanging = () => document.getAnimations().some((change) => change instanceof CSSTransition);
    for (let still = 0; still < 3; still = isChanging() ? 0 : still + 1) await frame();
    const { axe } = window as unknown as { axe: typeof import("axe-core") };
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    const { violations } = await axe.run({ runOnly: tags });
    return violations.flatMap(({ id, nodes }) =>
      nodes.slice(0, 3).map((node) => `${id} (${nodes.length} in all): ${node.html}\n${node.failureSummary}`),
    );
  });
}

/** The page can be read without scrolling sideways. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const [content, window] = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return [scrollWidth, clientWidth];
  });
  expect(content, "width of the content").toBeLessThanOrEqual(window ?? 0);
}

/** How far things moved by themselves since the page was loaded (cumulative layout shift; up to 0.1 counts as good). */
function layoutShift(page: Page): Promise<number> {
  return page.evaluate(() => {
    const observer = new PerformanceObserver(() => {});
    observer.observe({ type: "layout-shift", buffered: true });
    const shifts = observer.takeRecords() as (PerformanceEntry & { value: number; hadRecentInput: boolean })[];
    observer.disconnect();
    return shifts.filter((shift) => !shift.hadRecentInput).reduce((sum, shift) => sum + shift.value, 0);
  });
}

/** The page under this heading can be used by everybody, at every width, in light and dark. */
export async function expectSound(page: Page, path: string, heading: string | RegExp): Promise<void> {
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    await page.goto(path);
    await hydrated(page);
    await expect(page.getByRole("heading", { level: 1, name: heading })).toBeVisible();
    await expectNoSidewaysScroll(page);
    expect.soft(await layoutShift(page), `layout shift at ${width} px`).toBeLessThan(0.01);
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme });
      expect.soft(await findings(page), `axe at ${width} px, ${colorScheme}`).toEqual([]);
    }
  }
}

/** The field is marked as wrong and described by its message. */
export async function expectErrorBeside(field: Locator, words = /./): Promise<void> {
  await expect(field).toHaveAttribute("aria-invalid", "true");
  await expect(field).toHaveAccessibleDescription(words);
}
