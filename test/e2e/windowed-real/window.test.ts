import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildRenderer } from '../../../scripts/build-renderer.ts';
import { NodeProcess, until } from '../../../scripts/swarm/node-process.ts';
import { joinSwarm } from '../../../shared/contract/client.ts';
import { hasChromium, openBrowser } from '../windowed-fake/browser.ts';
import { RealWindow } from './real-window.ts';

/** Machines that test are often busy with other work. */
const patiently = { timeout: 60_000 };
const flags = ['--slots', '2', '--session-ttl-ms', '12000'];

describe.skipIf(!hasChromium)('the window on a real swarm of three node processes', () => {
  let folder: string;
  let browser: Browser;
  let nodes: NodeProcess[] = [];
  let studio: RealWindow;
  const of = (index: number): NodeProcess => {
    const node = nodes[index];
    if (node === undefined) throw new Error(`there is no node ${index}`);
    return node;
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'skein-window-'));
    const ui = await buildRenderer();
    nodes = ['studio', 'render-box', 'attic'].map(
      (name) => new NodeProcess({ name, home: join(folder, name), flags: [...flags, '--ui', ui] }),
    );
    [browser] = await Promise.all([openBrowser(), ...nodes.map((node) => node.start())]);
    studio = await RealWindow.open(browser, of(0).address);
  }, 240_000);

  afterAll(async () => {
    await browser?.close();
    await Promise.all(nodes.map((node) => node.stop()));
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  it('founds a swarm, and shows that there is no second copy of it', async () => {
    const { page } = studio;
    await studio.sees('Create a swarm');
    expect.soft(await studio.picture('first-run')).toEqual([]);
    await page.getByLabel('Name of the swarm').fill('Workshop');
    await page.getByRole('button', { name: 'Create a swarm' }).click();
    await studio.sees('You are the only machine here');
  });

  it('lets a second machine in after both windows have shown the same words', async () => {
    const { page } = studio;
    await studio.go('#/settings/invite');
    await page.getByRole('button', { name: 'Make an invitation' }).click();
    const link = await page.locator('code.link-text').innerText();
    expect.soft(await studio.picture('invite')).toEqual([]);
    const joiner = await RealWindow.open(browser, of(1).address);
    await joiner.page.getByLabel('Invitation', { exact: true }).fill(`here you are: ${link} see you`);
    await joiner.page.getByRole('button', { name: 'Join', exact: true }).click();
    await joiner.sees('Its screen shows these words too');
    await studio.sees('render-box asks to join');
    const wordsOf = (window: RealWindow): Promise<string[]> => window.page.locator('.words span').allInnerTexts();
    const words = await wordsOf(joiner);
    expect(words.length).toBeGreaterThan(2);
    expect(await wordsOf(studio)).toEqual(words);
    expect.soft(await joiner.picture('joining')).toEqual([]);
    await page.getByRole('button', { name: 'Same words: let it in' }).click();
    await joiner.sees('This machine belongs to “Workshop” now.');
    await joiner.sees('Who decides');
    expect(joiner.complaints).toEqual([]);
    await joiner.close();
    await studio.press('Escape');
  });

  it('shows a third machine come in, three voters, and who coordinates', async () => {
    const { link } = await of(0).api.swarm.invite({ autoApprove: true, role: 'admin' });
    await joinSwarm(of(2).api, link);
    for (const node of nodes) await node.api.policy.set({ accepts: { from: 'everyone' } });
    await until('three voters', 60_000, async () => {
      const { view } = await of(0).api.swarm.overview();
      return view.quorum.voters.length === 3 && view.members.reachable === 3 ? view : null;
    });
    await studio.go('#/overview');
    await studio.sees('attic');
    await studio.sees('3 of 3 voters reachable');
    expect.soft(await studio.picture('overview')).toEqual([]);
  });

  it('shows every machine on Peers, and pings one', async () => {
    const { page } = studio;
    await studio.go('#/peers');
    await page.getByRole('button', { name: 'render-box', exact: true }).click();
    await page.getByRole('button', { name: 'Ping' }).click();
    await studio.sees(/answered in/);
    await expect.poll(() => page.getByRole('row').count(), patiently).toBe(4);
    expect.soft(await studio.picture('peers')).toEqual([]);
  });

  it('begins the form with a folder, checks what is typed, and lets one choose another', async () => {
    const { page } = studio;
    await studio.go('#/tasks/new');
    const field = page.getByRole('combobox', { name: 'Folder on this machine' });
    await expect.poll(() => field.inputValue(), patiently).not.toBe('');
    await field.fill(join(folder, 'nowhere'));
    await studio.sees(`There is no folder ${join(folder, 'nowhere')}`);
    await field.fill(folder);
    await studio.sees('in it.');
    await page.getByRole('button', { name: 'Choose: Folder on this machine' }).click();
    await page.getByRole('button', { name: 'attic', exact: true }).click();
    await studio.sees('journal');
    expect.soft(await studio.picture('choose-folder')).toEqual([]);
    await page.getByRole('button', { name: 'Use this folder' }).click();
    await expect.poll(() => field.inputValue(), patiently).toBe(join(folder, 'attic'));
  });

  it('submits a job over files with the form, shows it done and its results back in their folder', async () => {
    const { page } = studio;
    const work = join(folder, 'recordings');
    await mkdir(work);
    for (let at = 1; at <= 12; at++) await writeFile(join(work, `take-${at}.txt`), `recording ${at}\n`.repeat(at * 40));
    await studio.go('#/tasks/new');
    await page.getByRole('textbox', { name: 'Command' }).fill('sh -c "gzip -c {file} > {stem}.gz && wc -c {file}"');
    await page.getByRole('combobox', { name: 'Folder on this machine' }).fill(work);
    await page.getByLabel('Name (optional)').fill('Compress the recordings');
    await page.getByRole('button', { name: 'Each file' }).click();
    await page.getByLabel('Files or patterns, one per line').fill('*.txt');
    await page.getByLabel('Bring back').fill('{stem}.gz');
    await studio.sees('12 tasks');
    expect.soft(await studio.picture('new-job')).toEqual([]);
    await studio.press('Control+Enter');
    await studio.sees('all 12 tasks succeeded');
    await until('the results', 60_000, () => readFile(join(work, 'take-12.gz')).catch(() => null));
    expect.soft(await studio.picture('job')).toEqual([]);
  });

  it('shows the output of a task that runs elsewhere from its first line, and goes on as it comes', async () => {
    const { page } = studio;
    const gate = join(folder, 'gate');
    const script = `for i in $(seq 1 40); do echo "frame $i of 400 rendered"; done; while [ ! -e ${gate} ]; do sleep 0.1; done; echo "the last frame"`;
    const { job } = await of(0).api.tasks.submit({
      name: 'Render the trailer',
      argv: ['sh', '-c', script],
      cwd: folder,
      on: 'render-box',
    });
    await studio.go(`#/tasks/${job}?tab=output`);
    await studio.sees('frame 40 of 400 rendered');
    expect.soft(await studio.picture('output')).toEqual([]);
    // The pane follows the end; whoever scrolls up finds the beginning, and is left there.
    await page.getByText('frame 40 of 400 rendered').hover();
    await page.mouse.wheel(0, -20_000);
    await studio.sees('frame 1 of 400 rendered');
    await page.mouse.wheel(0, 20_000);
    await writeFile(gate, '');
    await studio.sees('the last frame');
    await expect.poll(() => page.getByText('succeeded on render-box').count(), { timeout: 60_000 }).toBe(1);
  });

  it('says at once that a program is not there, with the exit code of a shell', async () => {
    const { job } = await of(0).api.tasks.submit({ argv: ['no-such-program-anywhere'], cwd: folder, retries: 3 });
    await studio.go(`#/tasks/${job}`);
    await studio.sees(/there is no program no-such-program-anywhere/);
    const { view } = await until('its end', 60_000, async () => {
      const shown = await of(0).api.tasks.show({ selector: String(job) });
      return shown.view.job.state === 'failed' ? shown : null;
    });
    expect(view.tasks[0]?.attempts).toMatchObject([{ number: 1, exitCode: 127 }]);
    await studio.go('#/tasks');
    await studio.sees('Render the trailer');
    expect.soft(await studio.picture('tasks')).toEqual([]);
  });

  it('shows who holds a lock and who waits, and takes it away only with its name typed and a reason', async () => {
    const { page } = studio;
    const leave = new AbortController();
    const hold = async (node: NodeProcess, label: string): Promise<AsyncIterator<{ type: string; token?: number }>> => {
      const events = await node.api.locks.hold({ name: 'nightly-backup', label }, { signal: leave.signal });
      return events[Symbol.asyncIterator]();
    };
    const first = await hold(of(1), 'backup.sh --full');
    const granted = (await first.next()).value as { type: string; token: number };
    expect(granted.type).toBe('granted');
    const second = await hold(of(2), 'backup.sh --photos');
    expect((await second.next()).value).toMatchObject({ type: 'waiting', position: 1 });
    await studio.go('#/locks/nightly-backup');
    await studio.sees('backup.sh --full');
    await studio.sees('backup.sh --photos');
    expect.soft(await studio.picture('locks')).toEqual([]);
    await page.getByRole('button', { name: 'Take it away…' }).click();
    const release = page.getByRole('button', { name: 'Take it away', exact: true });
    expect(await release.isDisabled()).toBe(true);
    await page.getByLabel('Why').fill('The machine hangs');
    await page.getByLabel(/Type the lock’s name/).fill('nightly-backup');
    await studio.sees(`--token ${granted.token}`);
    expect.soft(await studio.picture('force-release')).toEqual([]);
    await release.click();
    expect((await first.next()).value).toMatchObject({ type: 'lost' });
    const next = (await second.next()).value as { type: string; token: number };
    expect(next).toMatchObject({ type: 'granted' });
    expect(next.token).toBeGreaterThan(granted.token);
    await studio.sees('Nobody waits.');
    leave.abort();
  });

  it('shows values, takes one over only while it is as it was seen, and follows changes made elsewhere', async () => {
    const { page } = studio;
    await of(1).api.kv.put({ key: 'release/current', value: 'trailer-7' });
    await of(2).api.kv.put({ key: 'render/quality', value: 'high' });
    await studio.go('#/values');
    await studio.sees('trailer-7');
    await page.getByRole('button', { name: 'release/current' }).click();
    await page.getByLabel('Value').fill('trailer-8');
    await of(1).api.kv.put({ key: 'release/current', value: 'trailer-7b' });
    await studio.sees('while you typed');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await studio.sees('Somebody was faster');
    await page.getByRole('button', { name: 'take that over' }).click();
    await page.getByLabel('Value').fill('trailer-8');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await until('the value', 60_000, async () => {
      const { entry } = await of(2).api.kv.get({ key: 'release/current' });
      return entry?.value === 'trailer-8' ? entry : null;
    });
    await studio.sees('Changes while you look');
    expect.soft(await studio.picture('values')).toEqual([]);
  });

  it('shows how the machines agree: ballot, voters with lag and disk, history and the end of the log', async () => {
    const { page } = studio;
    await studio.go('#/consensus');
    await studio.sees('One of 3 voters may be off, and work goes on.');
    await expect.poll(() => page.getByRole('row').count(), { timeout: 60_000 }).toBe(4);
    await expect.poll(() => page.locator('tbody').innerText(), { timeout: 60_000 }).toMatch(/render-box[\s\S]* ms/);
    await studio.sees(/has coordinated for/);
    expect.soft(await studio.picture('consensus')).toEqual([]);
    await page.getByRole('button', { name: 'Log', exact: true }).click();
    await of(1).api.kv.put({ key: 'seen/in-the-log', value: 'yes' });
    await studio.sees('seen/in-the-log');
    expect.soft(await studio.picture('consensus-log')).toEqual([]);
  });

  it('can be driven by the keyboard alone', async () => {
    const { page } = studio;
    await studio.go('#/overview');
    await studio.sees('Who decides');
    await page.locator('body').click({ position: { x: 1_200, y: 5 } });
    await studio.press('g', 't');
    await studio.sees('Compress the recordings');
    await studio.press('j', 'j', 'Enter');
    await expect.poll(() => page.evaluate(() => location.hash), patiently).toMatch(/#\/tasks\/\d+/);
    await studio.press('Escape');
    await expect.poll(() => page.evaluate(() => location.hash), patiently).toBe('#/tasks');
    await studio.press('Control+k');
    await page.keyboard.type('attic');
    expect.soft(await studio.picture('palette')).toEqual([]);
    await studio.press('Enter');
    await expect.poll(() => page.evaluate(() => location.hash), patiently).toMatch(/#\/peers\//);
    await studio.sees('Addresses');
    await studio.press('n');
    await studio.sees('What to run');
    await page.getByRole('textbox', { name: 'Command' }).focus();
    await page.keyboard.type('echo by-keyboard-alone');
    await studio.press('Control+Enter');
    await studio.sees('by-keyboard-alone');
    await page.locator('body').click({ position: { x: 1_200, y: 5 } });
    await studio.press('?');
    await studio.sees('Keyboard shortcuts');
    await studio.press('Escape');
  });

  it('says honestly that there is no majority, and how old what it shows is', async () => {
    const { page } = studio;
    const leave = new AbortController();
    const held = await of(0).api.locks.hold(
      { name: 'nightly-backup', label: 'backup.sh --full' },
      { signal: leave.signal },
    );
    // Read by hand: a loop that is left would end the call, and with it the hold.
    const events = held[Symbol.asyncIterator]();
    let granted = false;
    while (!granted) {
      const event = await events.next();
      granted = event.done !== true && (event.value as { readonly type: string }).type === 'granted';
    }
    await Promise.all([of(1).kill(), of(2).kill()]);
    await studio.go('#/locks');
    await studio.sees(/No majority/);
    await studio.sees(/Last known · \d+/);
    await studio.sees('unknown');
    expect.soft(await studio.picture('locks-no-majority')).toEqual([]);
    await studio.go('#/overview');
    await studio.sees(/Last known · \d+/);
    expect.soft(await studio.picture('no-majority')).toEqual([]);
    await studio.go('#/consensus');
    await studio.sees(/Everybody waits for/);
    await studio.sees(/1 of 3 voters can be reached and 2 are needed/);
    expect.soft(await studio.picture('consensus-no-majority')).toEqual([]);
    await page.getByRole('button', { name: 'Go on without them…' }).click();
    await studio.sees(/have votes and cannot be reached/);
    expect.soft(await studio.picture('force-quorum')).toEqual([]);
    await page.getByRole('button', { name: 'Keep waiting' }).click();
    await studio.go('#/locks/nightly-backup');
    expect(await page.getByRole('button', { name: 'Take it away…' }).isDisabled()).toBe(true);
    await Promise.all([of(1).start(), of(2).start()]);
    await page
      .getByText(/No majority/)
      .first()
      .waitFor({ state: 'detached', timeout: 90_000 });
  });

  it('removes a member only with its name typed', async () => {
    const { page } = studio;
    await studio.go('#/peers/attic');
    await page.getByRole('button', { name: 'Remove from the swarm…' }).click();
    const remove = page.getByRole('button', { name: 'Remove', exact: true });
    expect(await remove.isDisabled()).toBe(true);
    await page.getByLabel(/Type the machine’s name/).fill('attic');
    expect.soft(await studio.picture('remove-member')).toEqual([]);
    await remove.click();
    await studio.sees('attic is no member any more.');
    await until('the removal everywhere', 60_000, async () => {
      const { view } = await of(1).api.swarm.overview();
      return view.members.total === 2 ? view : null;
    });
  });

  it('broke no content policy and complained about nothing on the way', () => {
    expect(studio.complaints).toEqual([]);
  });
});
