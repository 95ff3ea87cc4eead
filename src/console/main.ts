import { Console } from './console.ts';
import type { Session } from './session.ts';

const root = document.querySelector('#console');
const start = document.querySelector('#start');
if (!(root instanceof HTMLElement)) throw new Error('the page has no place for the console');

const startWith: Session = JSON.parse(start?.textContent ?? '{"projectId":"","key":""}');
new Console(root, startWith).run();
