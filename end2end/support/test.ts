// Playwright's test, pointed at the platform.

import { test as base } from "@playwright/test";
import { platform } from "./platform";

export { expect } from "@playwright/test";

export const test = base.extend({
  baseURL: async ({}, use) => use(platform().url),
});
