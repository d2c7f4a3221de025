import { mount } from 'svelte';
import { createFakeClient } from '../../../src-renderer/api/fake-transport.ts';
import Root from '../../../src-renderer/App.svelte';
import '../../../src-renderer/styles/base.css';
import { fail, ok } from '../../../shared/domain/failure.ts';
import { demoHandlers } from '../../renderer/fake/demo-handlers.ts';
import type { Variant } from '../../renderer/fake/demo-swarm.ts';

/** The real window over the demonstration data. `?variant=` picks the data; `down` has nobody to talk to. */
const variant = new URLSearchParams(window.location.search).get('variant') ?? 'full';
const target = document.getElementById('app');
if (target === null) throw new Error('The page has no element with the id "app".');

const never = new Promise<string>(() => undefined);
const connect = async () =>
  variant === 'down'
    ? fail(
        'not-running',
        'The Skein process on this machine does not answer.',
        'See whether it runs with “skein status”.',
      )
    : ok({ client: createFakeClient(demoHandlers(variant as Variant)), ended: never, close: () => undefined });

mount(Root, { target, props: { connect } });
