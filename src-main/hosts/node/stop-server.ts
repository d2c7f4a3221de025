import type { Server } from 'node:http';
import type { WebSocketServer } from 'ws';

const farewellMs = 500;

/** Takes no more callers, says goodbye to those there are, and resolves when the last connection is closed. */
export async function stopServer(server: Server, webSockets: WebSocketServer): Promise<void> {
  for (const webSocket of webSockets.clients) webSocket.close(1001, 'the node stops');
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // Callers get a moment to see the end; then their connections are cut, or a silent one would keep the node alive.
  const cut = setTimeout(() => {
    for (const webSocket of webSockets.clients) webSocket.terminate();
    server.closeAllConnections();
  }, farewellMs);
  await closed;
  clearTimeout(cut);
}
