// Talks to the API. Every function throws an ApiError whose message may be shown.

export class ApiError extends Error {
  constructor(message, fields = []) {
    super(message);
    this.fields = fields;
  }
}

/** The newest entries, or those before an id: { items, next }. */
export function loadEntries(before) {
  return request(before ? `/api/entries?before=${before}` : "/api/entries");
}

/** Stores { key, name, message }. Sent twice with one key, it is stored once. */
export function addEntry(entry) {
  return request("/api/entries", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(entry),
  });
}

async function request(url, options = {}) {
  let response;
  try {
    response = await fetch(url, { ...options, signal: AbortSignal.timeout(15_000) });
  } catch {
    throw new ApiError("The site could not be reached.");
  }
  const body = await response.json().catch(() => null);
  if (!response.ok || body === null) {
    throw new ApiError(body?.detail ?? "The site did not answer as expected.", body?.errors);
  }
  return body;
}
