import { mount } from 'svelte';
import { chooseConnect } from './api/connect.ts';
import Root from './App.svelte';
import './styles/base.css';

const target = document.getElementById('app');
if (target === null) throw new Error('The page has no element with the id "app".');

export default mount(Root, { target, props: { connect: chooseConnect(window) } });
