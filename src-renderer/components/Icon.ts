import type { Component } from 'svelte';

/** Any icon of the set: it takes its size as a prop and is hidden from assistive technology by its caller's text. */
export type Icon = Component<{ size?: number | string; strokeWidth?: number | string; class?: string }>;
export type Tone = 'good' | 'warn' | 'bad' | 'busy' | 'accent' | 'quiet';
