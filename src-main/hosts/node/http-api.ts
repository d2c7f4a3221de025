import type { IncomingMessage, ServerResponse } from 'node:http';
import { OpenAPIGenerator } from '@orpc/openapi';
import { OpenAPIHandler } from '@orpc/openapi/node';
import { BodyLimitPlugin, RPCHandler } from '@orpc/server/node';
import { ZodToJsonSchemaConverter } from '@orpc/zod/zod4';
import { newCaller, type ApiContext, type SkeinRouter } from '../../api/router.ts';
import { contract, contractVersion } from '../../../shared/contract/contract.ts';
import { requestBytesMax } from './rpc-socket.ts';

/** Paths under which one request each is answered. */
export const httpPaths = { rpc: '/api/rpc', rest: '/api/v1', openApi: '/api/openapi.json' } as const;

/** The contract over plain HTTP: for scripts, in the RPC format and as ordinary JSON. Authentication is the caller's part. */
export interface HttpApi {
  /** Answers and returns true, or returns false where the path names no procedure. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<boolean>;
  /** The OpenAPI document of `/api/v1`. */
  document(): Promise<string>;
}

export function createHttpApi(router: SkeinRouter): HttpApi {
  const limits = (): BodyLimitPlugin<ApiContext> => new BodyLimitPlugin({ maxBodySize: requestBytesMax });
  const rpc = new RPCHandler<ApiContext>(router, { plugins: [limits()] });
  const rest = new OpenAPIHandler<ApiContext>(router, { plugins: [limits()] });
  let documentText: string | null = null;
  return {
    async handle(request, response) {
      const context: ApiContext = { caller: newCaller() };
      const path = request.url ?? '';
      const result = path.startsWith(`${httpPaths.rest}/`)
        ? await rest.handle(request, response, { prefix: httpPaths.rest, context })
        : await rpc.handle(request, response, { prefix: httpPaths.rpc, context });
      return result.matched;
    },
    async document() {
      documentText ??= JSON.stringify(await describeApi());
      return documentText;
    },
  };
}

function describeApi(): Promise<object> {
  const generator = new OpenAPIGenerator({ schemaConverters: [new ZodToJsonSchemaConverter()] });
  return generator.generate(contract, {
    info: { title: 'Skein', version: String(contractVersion) },
    servers: [{ url: httpPaths.rest }],
    security: [{ bearer: [] }],
    components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
  });
}
