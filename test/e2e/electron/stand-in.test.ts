import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildDesktop } from '../../../scripts/build-desktop.ts';
import { buildRenderer } from '../../../scripts/build-renderer.ts';
import { findChromium } from '../../../scripts/chromium.ts';
import { StandInApp } from './stand-in-app.ts';

const chromium = findChromium();
const cli = fileURLToPath(new URL('../../../out/cli/main.js', import.meta.url));
const invitation = 'skein://join/AbCd-1234_xyz';

describe.skipIf(chromium === null)(
  'the built desktop app on a stand-in (not Electron: Node and Chromium through a replacement of its module)',
  () => {
    let app: StandInApp;

    beforeAll(async () => {
      await buildRenderer();
      await buildDesktop();
      app = await StandInApp.start(chromium ?? '');
    });
    afterAll(() => app?.close());

    const body = async (): Promise<string> => String(await app.ask('bodyText').catch(() => ''));

    test('the window shows the pages, filled by a real node process through a port', async () => {
      await app.until(body, (text) => text.includes('Create a swarm'));
      expect(await app.ask('isShown')).toBe(true);
      expect(await app.recorded('page-error')).toEqual([]);
      expect(await app.recorded('blocked')).toEqual([]);
    });

    test('a clicked invitation fills in the join screen and joins nothing', async () => {
      await app.ask('emit', 'open-url', invitation);
      await app.until(
        () => app.ask('evaluate', 'document.querySelector("textarea")?.value ?? ""'),
        (value) => value === invitation,
      );
      expect(await body()).toContain('Create a swarm');
    });

    test('a call of the page reaches the node process and its answer comes back', async () => {
      await app.ask('fill', 'input[placeholder="Home"]', 'Test flock');
      await app.ask('click', 'button:has-text("Create a swarm")');
      await app.until(body, (text) => text.includes('Overview') && text.includes('Test flock'));
      await app.until(
        () => app.ask('title'),
        (title) => title === 'Test flock · Skein',
      );
    });

    test('the built command line runs a program on the node of the app', async () => {
      const home = join(app.folder, 'home');
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [cli, 'run', '--home', home, '--', 'echo', 'through the helper'],
        { timeout: 60_000 },
      );
      expect(stdout).toContain('through the helper');
    });

    test('the page finds the named verbs of the preload and nothing else of the desktop', async () => {
      expect(await app.ask('evaluate', 'standInExposed')).toEqual(['skein']);
      expect(await app.ask('evaluate', 'Object.keys(window.skein).sort()')).toEqual([
        'notify',
        'pathsOf',
        'pickFiles',
        'platform',
        'requestPort',
      ]);
      expect(await app.ask('evaluate', '[typeof require, typeof process, typeof ipcRenderer]')).toEqual([
        'undefined',
        'undefined',
        'undefined',
      ]);
    });

    test('picking files answers with paths, and a notification is shown', async () => {
      expect(await app.ask('evaluate', 'window.skein.pickFiles("files")')).toEqual(['/home/someone/picture.png']);
      expect(await app.ask('evaluate', 'window.skein.notify("Done", "All 3 tasks succeeded")')).toBe(true);
      expect(await app.recorded('notification')).toEqual([{ title: 'Done', body: 'All 3 tasks succeeded' }]);
    });

    test('only files that a person handed over have a path', async () => {
      const call = 'window.skein.pathsOf([new File(["x"], "reel.mov"), "/etc/passwd", { name: "x" }, null])';
      expect(await app.ask('evaluate', call)).toEqual(['/dropped/reel.mov']);
    });

    test.each([
      ['an unknown verb', 'window.skein.pickFiles("everything")'],
      ['a title that is too long', 'window.skein.notify("x".repeat(1000), "")'],
      ['a title that is no text', 'window.skein.notify({}, "")'],
    ])('%s is refused', async (_what, call) => {
      await expect(app.ask('evaluate', call)).rejects.toThrow(/does not offer/);
    });

    test('a request from a frame inside the page, or from a foreign page, is refused', async () => {
      const request = { verb: 'request-port' };
      const inside = { url: 'app://skein/index.html', parent: {} };
      const foreign = { url: 'https://example.org/', parent: null };
      const lookalike = { url: 'app://skein.example.org/', parent: null };
      for (const frame of [inside, foreign, lookalike, null]) {
        await expect(app.ask('invokeAs', 'skein-desktop', frame, request)).rejects.toThrow(/only the window of Skein/);
      }
      expect(await app.recorded('handle')).toEqual(['skein-desktop']);
    });

    test('the page runs sandboxed, isolated and without Node, and a window without that is refused', async () => {
      const preferences = (await app.ask('preferences')) as Record<string, unknown>;
      expect(preferences).toMatchObject({
        sandbox: true,
        contextIsolation: true,
        nodeIntegration: false,
        webSecurity: true,
        webviewTag: false,
      });
      expect(await app.ask('refuses', preferences)).toBe(false);
      expect(await app.ask('refuses', { ...preferences, nodeIntegration: true })).toBe(true);
      expect(await app.ask('refuses', { ...preferences, contextIsolation: false })).toBe(true);
      expect(await app.ask('refuses', { ...preferences, sandbox: false })).toBe(true);
      expect(await app.recorded('sandbox')).toEqual(['enabled']);
    });

    test.each([
      'media',
      'geolocation',
      'notifications',
      'midi',
      'hid',
      'serial',
      'clipboard-read',
      'openExternal',
      'display-capture',
    ])('the permission %s is denied when asked for and when looked up', async (permission) => {
      expect(await app.ask('mayRequest', permission)).toBe(false);
      expect(await app.ask('mayCheck', permission, 'app://skein')).toBe(false);
    });

    test('only copying to the clipboard is permitted, and only to the own page', async () => {
      expect(await app.ask('mayCheck', 'clipboard-sanitized-write', 'app://skein')).toBe(true);
      expect(await app.ask('mayCheck', 'clipboard-sanitized-write', 'https://example.org')).toBe(false);
      expect(await app.ask('mayUseDevice')).toBe(false);
    });

    test.each(['will-navigate', 'will-redirect', 'will-frame-navigate', 'will-attach-webview'])(
      '%s is prevented',
      async (event) => {
        expect(await app.ask('prevents', event)).toBe(true);
      },
    );

    test('new windows are denied, and no link outside the list is opened', async () => {
      for (const url of [
        'https://example.org/',
        'file:///etc/passwd',
        'javascript:alert(1)',
        'https://github.com.example.org/',
        'http://github.com/',
      ]) {
        expect(await app.ask('openWindow', url)).toEqual({ action: 'deny' });
      }
      expect(await app.recorded('message-box')).toEqual([]);
      expect(await app.ask('openWindow', 'https://github.com/libp2p/js-libp2p')).toEqual({ action: 'deny' });
      await app.until(
        () => app.recorded('external'),
        (opened) => opened.length > 0,
      );
      expect(await app.recorded('external')).toEqual(['https://github.com/libp2p/js-libp2p']);
    });

    test('pages come with a strict policy, and nothing outside their folder is served', async () => {
      const page = (await app.ask('fetchPage', 'app://skein/index.html')) as { status: number; policy: string };
      expect(page.status).toBe(200);
      expect(page.policy).toContain("default-src 'none'");
      expect(page.policy).toContain("connect-src 'none'");
      expect(page.policy).not.toContain('unsafe');
      const outside = [
        '../main/main.js',
        '%2e%2e/main/main.js',
        '..%2fmain%2fmain.js',
        'assets/../../main/main.js',
        '.hidden.js',
        'nothing.html',
        'index.html%00.js',
        '%ff',
      ];
      for (const path of outside)
        expect(((await app.ask('fetchPage', `app://skein/${path}`)) as { status: number }).status).not.toBe(200);
      expect(await app.ask('fetchPage', 'app://other/index.html')).toMatchObject({ status: 400 });
    });

    test('the page can connect to nothing by itself', async () => {
      expect(await app.ask('evaluate', 'fetch("https://example.org/").then(() => "reached", () => "refused")')).toBe(
        'refused',
      );
      expect(await app.ask('evaluate', 'fetch("/index.html").then(() => "reached", () => "refused")')).toBe('refused');
    });

    test('the tray shows how things stand, with everything in its menu', async () => {
      await app.until(
        () => app.recorded('tray-tip'),
        (tips) => String(tips.at(-1)).includes('in Test flock'),
      );
      const menu = JSON.stringify((await app.recorded('tray-menu')).at(-1));
      for (const label of [
        'Open Skein',
        'Submit files…',
        'Pause this machine',
        'Running here',
        'My tasks',
        'Machines',
        'Copy join link',
        'Open in the browser',
        'Settings',
        'Quit',
      ]) {
        expect(menu).toContain(label);
      }
      expect(String((await app.recorded('tray-image')).at(-1))).toMatch(/tray.idle-on-dark\.png$/);
    });

    test('a pause from the tray is kept by the node, for the window and the next start to see', async () => {
      const paused = 'document.querySelector("footer")?.textContent.includes("Takes no tasks") === true';
      await app.ask('pickFromTray', 'Pause this machine', 'Until I resume');
      await app.until(
        () => app.ask('evaluate', paused),
        (shown) => shown === true,
      );
      await app.until(
        () => app.recorded('tray-menu'),
        (menus) => JSON.stringify(menus.at(-1)).includes('Resume'),
      );
      await app.ask('pickFromTray', 'Resume');
      await app.until(
        () => app.ask('evaluate', paused),
        (shown) => shown === false,
      );
    });

    test('a second start shows the window, and passes on nothing that is not an invitation', async () => {
      await app.ask('emit', 'second-instance', ['skein', '--flag', invitation]);
      await app.until(
        () => app.recorded('load'),
        (loads) => loads.includes(`app://skein/index.html#/overview?invitation=${encodeURIComponent(invitation)}`),
      );
      await app.until(
        () => app.ask('title'),
        (title) => title === 'Test flock · Skein',
      );
      await app.ask('emit', 'second-instance', ['skein', 'skein://other/thing', 'skein://join/<script>']);
      expect((await app.recorded('load')).filter((load) => String(load).includes('script'))).toEqual([]);
    });

    test('a node process that is killed is started again, and the page finds it', async () => {
      const [first] = (await app.recorded('fork')) as readonly { pid: number }[];
      process.kill(first?.pid ?? 0, 'SIGKILL');
      await app.until(
        () => app.recorded('fork'),
        (forks) => forks.length === 2,
      );
      await app.until(
        () => app.recorded('tray-tip'),
        (tips) => tips.includes('Skein starts again after a crash') && String(tips.at(-1)).includes('in Test flock'),
      );
      await app.until(
        () => app.ask('evaluate', 'document.querySelector(".shell").inert'),
        (inert) => inert === false,
      );
      await app.until(body, (text) => text.includes('Test flock'));
    });

    test('quitting ends the node process in order', async () => {
      const forks = (await app.recorded('fork')) as readonly { pid: number }[];
      const quit = app.ask('quit').catch(() => null);
      expect(await app.ended()).toBe(0);
      await quit;
      expect(() => process.kill(forks.at(-1)?.pid ?? 0, 0)).toThrow(/ESRCH/);
    });
  },
);
