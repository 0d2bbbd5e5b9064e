// Light or dark: as the visitor's system has it, until they choose with the switch.
// Loaded in the head, so that the page never flashes in the wrong colours.

const root = document.documentElement;
const systemDark = matchMedia("(prefers-color-scheme: dark)");

// The browser may forbid storage; then the choice lasts as long as the page.
const saved = {
  get() {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null;
    }
  },
  set(theme) {
    try {
      localStorage.setItem("theme", theme);
    } catch {}
  },
};

const chosen = saved.get();
if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;

document.addEventListener("DOMContentLoaded", () => {
  const button = document.querySelector("#theme");
  if (!button) return;
  const isDark = () => (root.dataset.theme ?? (systemDark.matches ? "dark" : "light")) === "dark";
  const label = () => button.setAttribute("aria-label", isDark() ? "Switch to light" : "Switch to dark");

  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    saved.set(root.dataset.theme);
    label();
  });
  systemDark.addEventListener("change", label);
  label();
});
