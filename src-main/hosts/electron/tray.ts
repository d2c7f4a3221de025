import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Menu, nativeImage, nativeTheme, Tray, type NativeImage } from 'electron';
import { trayMenu, type TrayActions } from './tray-menu.ts';
import { trayShape, trayStatus, type TrayModel, type TrayShape } from './tray-model.ts';

/** The icon of the app beside the clock, and its menu. */
export class AppTray {
  readonly #tray: Tray;
  readonly #images: string;
  readonly #actions: TrayActions;
  #model: TrayModel = { node: { kind: 'stopped' }, glance: null };
  #shown = '';
  readonly #repaint = (): void => this.#tray.setImage(this.#image(trayShape(this.#model)));

  /** `images` is the folder that holds the images of the tray. */
  constructor(images: string, actions: TrayActions) {
    this.#images = images;
    this.#actions = actions;
    this.#tray = new Tray(this.#image('offline'));
    this.#tray.on('click', () => this.#actions.open(''));
    nativeTheme.on('updated', this.#repaint);
    this.show(this.#model);
  }

  /** Shows how things stand. Nothing is touched while it would look the same: an open menu must not close by itself. */
  show(model: TrayModel): void {
    this.#model = model;
    const nowMs = Date.now();
    const entries = trayMenu(model, this.#actions, nowMs);
    const looks = JSON.stringify([trayShape(model), entries]);
    if (looks === this.#shown) return;
    this.#shown = looks;
    this.#repaint();
    this.#tray.setToolTip(trayStatus(model, nowMs));
    this.#tray.setContextMenu(Menu.buildFromTemplate(entries));
  }

  remove(): void {
    nativeTheme.removeListener('updated', this.#repaint);
    this.#tray.destroy();
  }

  #image(shape: TrayShape): NativeImage {
    const path = join(this.#images, trayImageName(shape, process.platform, nativeTheme.shouldUseDarkColors));
    const image = existsSync(path) ? nativeImage.createFromPath(path) : nativeImage.createEmpty();
    if (process.platform === 'darwin') image.setTemplateImage(true);
    return image;
  }
}

/** macOS tints a template image itself; the others get one for dark panels and one for light ones. */
export function trayImageName(shape: TrayShape, platform: NodeJS.Platform, onDark: boolean): string {
  if (platform === 'darwin') return `${shape}Template.png`;
  return `${shape}-${onDark ? 'on-dark' : 'on-light'}.${platform === 'win32' ? 'ico' : 'png'}`;
}
