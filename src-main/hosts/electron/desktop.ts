import { join } from 'node:path';
import { app, clipboard, dialog, session, shell, type BrowserWindow } from 'electron';
import { setAppMenu } from './app-menu.ts';
import { serveApp } from './app-protocol.ts';
import { invitationIn, joinPlace } from './deep-link.ts';
import { answerPage } from './desktop-requests.ts';
import { NodeProcess, type NodeState } from './node-process.ts';
import { openOutputFile } from './output-file.ts';
import { followPower } from './power.ts';
import { isLoopbackAddress, lockSession } from './security.ts';
import { SwarmWatch } from './swarm-watch.ts';
import { AppTray } from './tray.ts';
import { quitQuestion, type SwarmGlance } from './tray-model.ts';
import { openWindow, reloadAfterCrash, showWindow } from './window.ts';

/** Where the parts of the built app lie. */
export interface DesktopPlaces {
  readonly renderer: string;
  readonly preload: string;
  readonly nodeProgram: string;
  readonly assets: string;
}

/** The desktop around one node process: a window, an icon beside the clock, and what connects them. */
export class Desktop {
  readonly #places: DesktopPlaces;
  readonly #node: NodeProcess;
  readonly #watch: SwarmWatch;
  #tray: AppTray | null = null;
  #window: BrowserWindow | null = null;
  #glance: SwarmGlance | null = null;
  #quitting: 'no' | 'stopping' | 'yes' = 'no';
  #askedAboutClosing = false;

  /** `nodeArgs` are the flags that the node process gets. */
  constructor(places: DesktopPlaces, nodeArgs: readonly string[]) {
    this.#places = places;
    this.#node = new NodeProcess({
      program: places.nodeProgram,
      args: ['--ui', places.renderer, ...nodeArgs],
      onState: (state) => this.#nodeBecame(state),
      onOutput: openOutputFile(app.getPath('logs')),
    });
    this.#watch = new SwarmWatch(this.#node, (glance) => {
      this.#glance = glance;
      this.#showTray();
    });
  }

  /** Opens everything; the app must be ready. */
  start(args: readonly string[]): void {
    lockSession(session.defaultSession);
    serveApp(session.defaultSession, this.#places.renderer);
    setAppMenu(app.isPackaged);
    answerPage({ node: this.#node, window: () => this.#window, show: () => this.show('') });
    followPower((power) => this.#node.note(power));
    this.#tray = this.#createTray();
    this.#node.start();
    const invitation = invitationIn(args);
    this.show(invitation === null ? '' : joinPlace(invitation));
  }

  /** Brings the window to the front, opening it where there is none. */
  show(place: string): void {
    if (this.#window !== null && !this.#window.isDestroyed()) {
      showWindow(this.#window, place);
      return;
    }
    const icon = join(this.#places.assets, 'icons', '256x256.png');
    const window = openWindow(place, {
      preload: this.#places.preload,
      icon,
      onClose: (closing) => this.#hideInstead(closing),
    });
    window.on('closed', () => (this.#window = null));
    reloadAfterCrash(window, () =>
      dialog.showErrorBox(
        'The window of Skein keeps crashing',
        'Your tasks go on. Open the window again from the icon beside the clock.',
      ),
    );
    this.#window = window;
  }

  /** A second start or a clicked link: shows the window, with the join screen filled in when there is an invitation. */
  showFor(args: readonly string[]): void {
    const invitation = invitationIn(args);
    this.show(invitation === null ? '' : joinPlace(invitation));
  }

  /** True once the node has ended in order, so that the app may go. */
  mayQuit(): boolean {
    return this.#quitting === 'yes';
  }

  /** Ends the node in order, then the app. */
  async quit(): Promise<void> {
    if (this.#quitting !== 'no') return;
    this.#quitting = 'stopping';
    this.#watch.disconnect();
    await this.#node.stop();
    this.#tray?.remove();
    this.#tray = null;
    this.#quitting = 'yes';
    app.quit();
  }

  #createTray(): AppTray {
    const carefully = (what: string, action: Promise<unknown>): void => {
      action.catch((error: unknown) =>
        dialog.showErrorBox(what, error instanceof Error ? error.message : String(error)),
      );
    };
    return new AppTray(join(this.#places.assets, 'tray'), {
      open: (place) => this.show(place),
      openWeb: () => carefully('The browser could not be opened', this.#openWeb()),
      pause: (minutes) => carefully('This machine could not be paused', this.#watch.pause(minutes)),
      resume: () => carefully('This machine could not be resumed', this.#watch.resume()),
      copy: (text) => carefully('The clipboard could not be written', Promise.resolve(clipboard.writeText(text))),
      copyJoinLink: () => carefully('No invitation could be made', this.#copyJoinLink()),
      tryAgain: () => this.#node.startAfresh(),
      quit: () => carefully('Skein could not quit', this.#askAndQuit()),
    });
  }

  #nodeBecame(state: NodeState): void {
    if (state.kind === 'running') this.#watch.connect();
    else this.#watch.disconnect();
    this.#showTray();
    if (state.kind === 'failed') {
      this.#explainFailure(state).catch((error: unknown) => console.error('the failure could not be shown:', error));
    }
  }

  async #explainFailure(state: NodeState & { kind: 'failed' }): Promise<void> {
    const { message, hint = '' } = state.failure;
    const { response } = await dialog.showMessageBox({
      type: 'error',
      message: 'Skein cannot run on this machine now',
      detail: `${message}\n\n${hint}`.trim(),
      buttons: ['Try again', 'Quit', 'Later'],
      defaultId: 0,
      cancelId: 2,
    });
    if (response === 0) this.#node.startAfresh();
    if (response === 1) await this.quit();
  }

  #showTray(): void {
    this.#tray?.show({ node: this.#node.state, glance: this.#glance });
  }

  /** The node goes on when the window is closed; on Linux, where the icon may be invisible, that is asked once. */
  #hideInstead(window: BrowserWindow): boolean {
    if (this.#quitting !== 'no') return false;
    if (process.platform === 'linux' && !this.#askedAboutClosing) {
      this.#askedAboutClosing = true;
      this.#askAboutClosing(window).catch((error: unknown) => console.error('the question could not be asked:', error));
      return true;
    }
    window.hide();
    return true;
  }

  async #askAboutClosing(window: BrowserWindow): Promise<void> {
    const { response } = await dialog.showMessageBox(window, {
      type: 'question',
      message: 'Keep Skein running in the background?',
      detail: 'This machine then stays in the swarm. Starting Skein again always shows the window.',
      buttons: ['Keep running', 'Quit'],
      defaultId: 0,
      cancelId: 0,
    });
    if (response === 1) await this.quit();
    else if (!window.isDestroyed()) window.hide();
  }

  async #askAndQuit(): Promise<void> {
    const question = quitQuestion(this.#glance);
    if (question !== null) {
      const detail = 'Other machines take over what can be run again.';
      const { response } = await dialog.showMessageBox({
        type: 'warning',
        message: question,
        detail,
        buttons: ['Quit', 'Cancel'],
        defaultId: 1,
        cancelId: 1,
      });
      if (response !== 0) return;
    }
    await this.quit();
  }

  async #openWeb(): Promise<void> {
    const { state } = this.#node;
    if (state.kind === 'running' && isLoopbackAddress(state.address)) await shell.openExternal(state.address);
  }

  async #copyJoinLink(): Promise<void> {
    const link = await this.#watch.invite();
    if (link !== null) await clipboard.writeText(link);
  }
}
