import { FailureError } from '../../../shared/domain/failure.ts';
import { createCallTable } from '../../api/call-table.ts';
import { createRouter } from '../../api/router.ts';
import type { SkeinServices } from '../../api/services.ts';
import { createCallSockets } from './call-socket.ts';
import { startControlSocket, type ControlSocket } from './control-socket.ts';
import { readApiToken, rememberedWebPort, rememberWebPort } from './home-secrets.ts';
import { createHttpApi } from './http-api.ts';
import { createRpcPorts, type RpcPorts } from './message-port.ts';
import type { NodeLog } from './node-log.ts';
import { createRpcSockets } from './rpc-socket.ts';
import { startWebServer, type WebServer, type WebServerOptions } from './web-server.ts';

export interface NodeHostOptions {
  readonly home: string;
  readonly services: SkeinServices;
  /** Port of the web server; null for the one it had last, or any free one. */
  readonly webPort: number | null;
  readonly uiFolder: string | null;
  /** Called when a caller asks this process to end. */
  readonly requestStop: () => void;
  readonly log: NodeLog;
}

/** Everything through which callers on this machine reach the node. */
export interface NodeHost {
  readonly web: WebServer;
  readonly control: ControlSocket;
  readonly rpcPorts: RpcPorts;
  stop(): Promise<void>;
}

/** Opens the faces of a node over its services. Throws a `FailureError` that names what could not be opened. */
export async function startNodeHost(options: NodeHostOptions): Promise<NodeHost> {
  const { home, log } = options;
  const router = createRouter(options.services, log);
  const httpApi = createHttpApi(router);
  const rpcSockets = createRpcSockets(router, log);
  const apiToken = await readApiToken(home);
  const web = await startWeb(options.webPort, home, { httpApi, rpcSockets, apiToken, uiFolder: options.uiFolder, log });
  try {
    const control = await startControlSocket({
      home,
      httpApi,
      rpcSockets,
      callSockets: createCallSockets(createCallTable(options.services), log),
      webOrigin: web.origin,
      newAddress: () => web.newAddress(),
      requestStop: options.requestStop,
      log,
    });
    return {
      web,
      control,
      rpcPorts: createRpcPorts(router),
      async stop() {
        await Promise.all([control.stop(), web.stop()]);
      },
    };
  } catch (error) {
    await web.stop();
    throw error;
  }
}

/** A port that was asked for must be had; a remembered one is only a wish. */
async function startWeb(
  asked: number | null,
  home: string,
  options: Omit<WebServerOptions, 'port'>,
): Promise<WebServer> {
  if (asked !== null) return startWebServer({ ...options, port: asked });
  const remembered = await rememberedWebPort(home);
  const web =
    remembered === null ? await startWebServer({ ...options, port: 0 }) : await startOnOrNear(remembered, options);
  if (web.port !== remembered) await rememberWebPort(home, web.port);
  return web;
}

async function startOnOrNear(port: number, options: Omit<WebServerOptions, 'port'>): Promise<WebServer> {
  try {
    return await startWebServer({ ...options, port });
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    options.log.info('the web port used last is taken, so another is used', { port });
    return startWebServer({ ...options, port: 0 });
  }
}
