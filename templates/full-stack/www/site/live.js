// Keeps a Socket.IO connection and reports what comes over it.

const RETRY_MS = 5_000;

/**
 * @param onEntry   called with each entry that somebody writes
 * @param onGap     called whenever entries may have been missed: load them
 * @param onStatus  called with "live" or "away"
 */
export function listen({ onEntry, onGap, onStatus }) {
  // A WebSocket at once; long polling only where none gets through.
  const socket = window.io({ transports: ["websocket", "polling"], tryAllTransports: true });

  socket.on("connect", () => {
    onStatus("live");
    onGap();
  });
  socket.on("disconnect", () => {
    onStatus("away");
    reconnectIfGivenUp();
  });
  socket.on("connect_error", () => {
    onStatus("away");
    reconnectIfGivenUp();
  });
  socket.on("resync", onGap);
  socket.on("entry", onEntry);

  // It tries again by itself, except after the server turned it away.
  function reconnectIfGivenUp() {
    if (!socket.active) setTimeout(() => socket.connect(), RETRY_MS);
  }
}
