/** Draws the image beside the clock: a bird, and a mark whose shape says how things stand. */

export const trayShapes = ['idle', 'working', 'paused', 'attention', 'offline'] as const;
export type TrayShape = (typeof trayShapes)[number];
/** `template`: macOS tints it by itself. The others: for dark panels and for light ones. */
export type TrayPaint = 'template' | 'on-dark' | 'on-light';

const marks: Readonly<Record<TrayShape, (ink: string) => string>> = {
  idle: (ink) => `<circle cx="11.5" cy="11.5" r="2.9" fill="none" stroke="${ink}" stroke-width="1.5"/>`,
  working: (ink) =>
    `<circle cx="11.5" cy="11.5" r="2.9" fill="none" stroke="${ink}" stroke-width="1.5"/><path d="M11.5 8.6a2.9 2.9 0 0 1 0 5.8z" fill="${ink}"/>`,
  paused: (ink) => `<path d="M9 8h2v7H9zM13 8h2v7h-2z" fill="${ink}"/>`,
  attention: (ink) => `<path d="M11 7h2v5h-2zM11 13h2v2h-2z" fill="${ink}"/>`,
  offline: (ink) =>
    `<circle cx="11.5" cy="11.5" r="2.9" fill="none" stroke="${ink}" stroke-width="1.4"/><path d="M8.2 14.8 14.8 8.2" stroke="${ink}" stroke-width="1.4" stroke-linecap="round"/>`,
};

const colours: Readonly<Record<Exclude<TrayPaint, 'template'>, Readonly<Record<TrayShape | 'bird', string>>>> = {
  'on-dark': {
    bird: '#ffffff',
    idle: '#ffffff',
    working: '#5ee0a0',
    paused: '#ffd166',
    attention: '#ff8a75',
    offline: '#b6bfca',
  },
  'on-light': {
    bird: '#1b2733',
    idle: '#1b2733',
    working: '#0b7a4b',
    paused: '#8a5a00',
    attention: '#b3261e',
    offline: '#5b6672',
  },
};

/** The drawing of one state, 16 units wide. */
export function traySvg(shape: TrayShape, paint: TrayPaint): string {
  const inkOf = (what: TrayShape | 'bird'): string => (paint === 'template' ? '#000000' : colours[paint][what]);
  const bird = `<g fill="none" stroke="${inkOf('bird')}" stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round"><path d="M3.5 5.2 7 1.7l3.5 3.5"/><path d="M1.2 11.2 4 8.4l2.6 2.8"/></g>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16">${bird}${marks[shape](inkOf(shape))}</svg>`;
}
