// The guest book: what happens when the page opens, somebody writes, or the connection comes back.

import { addEntry, loadEntries } from "./api.js";
import * as book from "./book.js";
import { listen } from "./live.js";

const STATUS = { connecting: "Connecting", live: "Live", away: "Connection lost, trying again" };

const $ = (selector) => document.querySelector(selector);
const form = $("#form");
const { name: nameField, message: messageField } = form.elements;

let coveredTo = 0; // every entry up to this id was on a page we loaded, or can be with "older"
let oldestId = null; // where "older" goes on; null when there is nothing older
let loading = null;
let loadAgain = false;

// ---- reading

/** Loads the newest entries. Asked again meanwhile, it loads once more afterwards. */
function refresh() {
  if (loading) {
    loadAgain = true;
    return;
  }
  loading = loadEntries()
    .then(({ items, next }) => {
      // More was written than one page holds: drop what stood below, else a hole would remain.
      if (next !== null && next > coveredTo) {
        book.clearStored(items[0].id);
        oldestId = next;
      }
      coveredTo = Math.max(coveredTo, items[0]?.id ?? 0);
      // Oldest first, so that each new one is put on top.
      for (const entry of items.reverse()) store(entry);
      $("#failure").hidden = true;
    })
    .catch(() => {
      $("#failure").hidden = book.count() > 0;
    })
    .finally(() => {
      loading = null;
      book.stopLoading();
      drawRest();
      if (loadAgain) {
        loadAgain = false;
        refresh();
      }
    });
}

function store(entry, options) {
  if (!book.isStored(entry.key)) book.show(entry, "stored", options);
}

async function showOlder() {
  const older = $("#older");
  older.disabled = true;
  try {
    const { items, next } = await loadEntries(oldestId);
    for (const entry of items) store(entry);
    oldestId = next;
    older.textContent = "Show older entries";
  } catch (error) {
    older.textContent = `${error.message} Try again`;
  }
  older.disabled = false;
  drawRest();
}

function drawRest() {
  $("#empty").hidden = book.count() > 0 || !$("#failure").hidden;
  $("#older").hidden = oldestId === null;
}

// ---- writing

function submit(event) {
  event.preventDefault();
  const entry = {
    key: newKey(),
    name: nameField.value.trim(),
    message: messageField.value.trim(),
  };
  const errors = [];
  if (!entry.name) errors.push({ field: "name", message: "Please tell your name." });
  if (!entry.message) errors.push({ field: "message", message: "Please write a few words." });
  showErrors(errors);
  if (errors.length > 0) return;

  remember(entry.name);
  messageField.value = "";
  countLeft();
  send(entry);
}

/** Shows the entry at once and sends it; it turns solid when the server has stored it. */
async function send(entry) {
  book.show(entry, "sending");
  drawRest();
  try {
    store(await addEntry(entry));
  } catch (error) {
    // The live message may have come although the answer was lost.
    if (book.isStored(entry.key)) return;
    book.show(entry, "failed", {
      problem: error.message,
      onRetry: () => send(entry),
      onEdit: () => edit(entry, error.fields),
    });
  }
}

function edit(entry, errors) {
  book.remove(entry.key);
  nameField.value = entry.name;
  messageField.value = entry.message;
  countLeft();
  showErrors(errors ?? []);
  messageField.focus();
  drawRest();
}

function showErrors(errors) {
  for (const field of [messageField, nameField]) {
    const error = errors.find((error) => error.field === field.name);
    const line = $(`#${field.name}-error`);
    line.textContent = error?.message ?? "";
    line.hidden = !error;
    field.ariaInvalid = error ? "true" : null;
    if (error) {
      field.setAttribute("aria-describedby", line.id);
      field.focus();
    } else {
      field.removeAttribute("aria-describedby");
    }
  }
}

function countLeft() {
  const left = messageField.maxLength - messageField.value.length;
  $("#left").textContent = left <= 100 ? `${left} left` : "";
}

/** A UUID v4; `crypto.randomUUID` exists on https and localhost only. */
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

// The browser may forbid storage; then the name is simply not remembered.
function remember(name) {
  try {
    localStorage.setItem("name", name);
  } catch {}
}

function remembered() {
  try {
    return localStorage.getItem("name") ?? "";
  } catch {
    return "";
  }
}

// ---- start

form.addEventListener("submit", submit);
messageField.addEventListener("input", countLeft);
messageField.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
$("#older").addEventListener("click", showOlder);
$("#retry").addEventListener("click", refresh);
setInterval(book.refreshTimes, 30_000);

nameField.value ||= remembered();
countLeft();
refresh();
listen({
  onEntry(entry) {
    store(entry, { fresh: true });
    drawRest();
  },
  onGap: refresh,
  onStatus(state) {
    $("#status").dataset.state = state;
    $("#status").textContent = STATUS[state];
  },
});
