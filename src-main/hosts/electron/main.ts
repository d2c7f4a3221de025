import { join } from 'node:path';
import { app } from 'electron';
import { declareAppScheme } from './app-protocol.ts';
import { linkScheme } from './deep-link.ts';
import { Desktop } from './desktop.ts';
import { lockPages } from './security.ts';

/** The first of the app's programs to run: one instance, one desktop. */
function run(): void {
  // Every home of a user has one app; a second start hands over what it was given and ends.
  if (!app.requestSingleInstanceLock()) {
    app.quit();
    return;
  }
  declareAppScheme();
  lockPages(app);
  app.enableSandbox();
  app.setAsDefaultProtocolClient(linkScheme);

  const built = join(import.meta.dirname, '..');
  const desktop = new Desktop(
    {
      renderer: join(built, 'renderer'),
      preload: join(built, 'preload', 'preload.cjs'),
      nodeProgram: join(built, 'node', 'main.js'),
      assets: join(built, '..', 'assets'),
    },
    [],
  );
  const links: string[] = [];
  let isStarted = false;
  app.on('open-url', (event, url) => {
    event.preventDefault();
    // macOS may hand over the link before the app is ready.
    if (isStarted) desktop.showFor([url]);
    else links.splice(0, links.length, url);
  });
  app.on('second-instance', (_event, args) => desktop.showFor(args));
  app.on('activate', () => desktop.show(''));
  // The node goes on without a window; quitting is a decision of its own.
  app.on('window-all-closed', () => undefined);
  app.on('before-quit', (event) => {
    if (desktop.mayQuit()) return;
    event.preventDefault();
    desktop.quit().catch((error: unknown) => {
      console.error('the node could not be stopped in order:', error);
      app.exit(1);
    });
  });
  app
    .whenReady()
    .then(() => {
      isStarted = true;
      desktop.start([...links, ...process.argv.slice(1)]);
    })
    .catch((error: unknown) => {
      console.error('Skein could not start:', error);
      app.exit(1);
    });
}

run();
