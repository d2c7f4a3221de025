import { RPCLink, type SupportedMessagePort } from '@orpc/client/message-port';
import { createSkeinClient, type SkeinClient } from './client.ts';

/** A typed client over one end of a message channel whose other end the node process serves. */
export const createPortClient = (port: SupportedMessagePort): SkeinClient => createSkeinClient(new RPCLink({ port }));
