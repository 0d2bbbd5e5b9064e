// Draws entries. What visitors wrote is only ever set as text, never as HTML.

const list = document.querySelector("#entries");
const rows = new Map(); // key of the entry → its element
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** Number of entries shown. */
export const count = () => rows.size;

/** True if the entry with this key is shown and stored. */
export const isStored = (key) => rows.get(key)?.dataset.id !== undefined;

/**
 * Shows an entry, or shows it anew. Stored ones stand in the order of their ids, newest first;
 * the visitor's own that are still on their way stand above.
 *
 * @param entry  { key, name, message }, and when stored { id, created_at }
 * @param state  "stored", "sending" or "failed"
 */
export function show(entry, state = "stored", { fresh = false, problem = "", onRetry, onEdit } = {}) {
  const row = element("li", `entry ${state}`);
  if (fresh) row.classList.add("fresh");
  if (state === "stored") row.dataset.id = entry.id;
  row.append(avatar(entry.name), byline(entry, state), text("p", "words", entry.message));
  if (state === "failed") row.append(failedActions(problem, onRetry, onEdit));

  const old = rows.get(entry.key);
  rows.set(entry.key, row);
  if (old && (old.dataset.id === row.dataset.id || state !== "stored")) {
    old.replaceWith(row);
  } else {
    old?.remove();
    list.insertBefore(row, followerOf(row));
  }
}

/** Takes an entry away. */
export function remove(key) {
  rows.get(key)?.remove();
  rows.delete(key);
}

/** Takes stored entries away, this id and all older ones. */
export function clearStored(upToId) {
  for (const [key, row] of rows) if (Number(row.dataset.id) <= upToId) remove(key);
}

/** Ends the loading state, whatever came of it. */
export function stopLoading() {
  list.querySelectorAll(".skeleton").forEach((row) => row.remove());
  list.classList.remove("loading");
  list.setAttribute("aria-busy", "false");
}

/** Brings "5 minutes ago" up to date. */
export function refreshTimes() {
  for (const time of list.querySelectorAll("time")) time.textContent = ago(new Date(time.dateTime));
}

function followerOf(row) {
  if (row.dataset.id === undefined) return list.firstChild;
  const id = Number(row.dataset.id);
  return [...list.children].find((other) => Number(other.dataset.id) < id) ?? null;
}

function byline(entry, state) {
  const line = element("p", "byline");
  line.append(text("bdi", "author", entry.name));
  if (state === "stored") {
    const date = new Date(entry.created_at);
    const time = text("time", "when", ago(date));
    time.dateTime = entry.created_at;
    time.title = exact.format(date);
    line.append(time);
  } else {
    line.append(text("span", "when", state === "sending" ? "Sending…" : "Not sent"));
  }
  return line;
}

function avatar(name) {
  const circle = text("span", "avatar", [...name][0].toLocaleUpperCase());
  let hue = 0;
  for (const character of name) hue = (hue * 31 + character.codePointAt(0)) % 360;
  circle.style.setProperty("--hue", hue);
  circle.ariaHidden = "true";
  return circle;
}

function failedActions(problem, onRetry, onEdit) {
  const actions = element("div", "failed-actions");
  actions.append(text("p", "", problem), button("Try again", onRetry), button("Edit", onEdit));
  return actions;
}

function ago(date) {
  const seconds = Math.min(0, (date - Date.now()) / 1000);
  if (seconds > -45) return relative.format(0, "second");
  if (seconds > -45 * 60) return relative.format(Math.round(seconds / 60), "minute");
  if (seconds > -22 * 3600) return relative.format(Math.round(seconds / 3600), "hour");
  if (seconds > -26 * 86400) return relative.format(Math.round(seconds / 86400), "day");
  return exact.format(date);
}

function button(label, onClick) {
  const made = text("button", "", label);
  made.type = "button";
  made.addEventListener("click", onClick);
  return made;
}

function text(tag, className, content) {
  const made = element(tag, className);
  made.textContent = content;
  return made;
}

function element(tag, className) {
  const made = document.createElement(tag);
  made.className = className;
  if (tag === "p" || tag === "bdi") made.dir = "auto";
  return made;
}
