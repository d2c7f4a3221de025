import { contextBridge, ipcRenderer, webUtils } from 'electron';
import {
  desktopChannel,
  portMessage,
  type DesktopBridge,
  type DesktopRequest,
  type PickKind,
} from '../../shared/contract/desktop.ts';

/**
 * Runs in the window's sandbox before the page. It lends the page a few verbs, each by its name, and passes on the port
 * to the node process; the page never gets a way to name a channel.
 */
const ask = (request: DesktopRequest): Promise<unknown> => ipcRenderer.invoke(desktopChannel, request);

ipcRenderer.on(portMessage, (event) => {
  // The page listens in a world of its own; a message to its own window and origin is the only thing that crosses.
  window.postMessage(portMessage, window.location.origin, [...event.ports]);
});

const bridge: DesktopBridge = {
  platform: process.platform,
  requestPort() {
    // A refusal shows as a port that never comes, which the page already knows how to say.
    ask({ verb: 'request-port' }).catch((error: unknown) => console.warn('no port:', error));
  },
  async pickFiles(kind: PickKind) {
    const answer = await ask({ verb: 'pick-files', kind });
    return Array.isArray(answer) ? answer.filter((path): path is string => typeof path === 'string') : [];
  },
  pathsOf(files: readonly unknown[]) {
    // Only the preload may ask for the path behind a file, and only of files that a person handed to the page.
    return files
      .filter((file): file is File => file instanceof File)
      .map((file) => webUtils.getPathForFile(file))
      .filter((path) => path !== '');
  },
  async notify(title: string, body: string) {
    return (await ask({ verb: 'notify', title, body })) === true;
  },
};

contextBridge.exposeInMainWorld('skein', bridge);
