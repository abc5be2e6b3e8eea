/* Tries a request where it is described; without this file the page is for reading, and shows no button. */
(() => {
  'use strict';
  const MOST = 20000;

  function address(form) {
    let path = form.dataset.path;
    const asked = new URLSearchParams();
    for (const field of form.querySelectorAll('[name]')) {
      if (field.dataset.in === 'path') path = path.replace(`{${field.name}}`, encodeURIComponent(field.value));
      else if (field.value) asked.set(field.name, field.value);
    }
    return asked.size ? `${path}?${asked}` : path;
  }

  /* JSON over several lines, by its text: a number keeps the digits it came with. */
  function pretty(text) {
    let depth = 0, made = '';
    const line = () => '\n' + '  '.repeat(depth);
    for (const [token] of text.matchAll(/"(?:\\.|[^"\\])*"|[{}[\],:]|[^\s{}[\],:"]+/g)) {
      if (token === '{' || token === '[') {
        depth += 1;
        made += token + line();
      } else if (token === '}' || token === ']') {
        depth -= 1;
        made = (/[{[]\s*$/.test(made) ? made.trimEnd() : made + line()) + token;
      } else made += token === ',' ? token + line() : token === ':' ? ': ' : token;
    }
    return made;
  }

  const said = document.getElementById('main').dataset;
  /* Where there is no clipboard for scripts (plain http), what is selected is copied, or left selected. */
  function copyable(block) {
    const frame = document.createElement('div');
    const button = document.createElement('button');
    frame.className = 'code';
    button.type = 'button';
    button.textContent = said.copy;
    button.setAttribute('aria-live', 'polite');
    button.addEventListener('click', async () => {
      let done = true;
      try {
        await navigator.clipboard.writeText(block.textContent);
      } catch {
        getSelection().selectAllChildren(block);
        done = document.execCommand('copy');
      }
      button.textContent = done ? said.copied : said.yourself;
      setTimeout(() => { button.textContent = said.copy; }, 2500);
    });
    block.replaceWith(frame);
    frame.append(block, button);
  }

  function shown(place, title, text, kind = '') {
    const head = document.createElement('h3');
    const body = document.createElement('pre');
    const whole = /json/.test(kind) && !/ndjson/.test(kind) ? pretty(text) : text;
    head.textContent = title;
    body.textContent = whole.length > MOST ? `${whole.slice(0, MOST)}\n…` : whole;
    body.tabIndex = 0;
    place.replaceChildren(head, body);
    copyable(body);
  }

  async function tried(event) {
    event.preventDefault();
    const form = event.target;
    const url = address(form);
    const place = form.nextElementSibling;
    const stop = new AbortController();
    /* A stream does not end: what came within a moment is shown. */
    const timer = setTimeout(() => stop.abort(), 5000);
    let title = `GET ${url}`, text = '', kind = '';
    try {
      const got = await fetch(url, { signal: stop.signal });
      kind = got.headers.get('Content-Type') || '';
      title = `GET ${url}: ${got.status} ${kind}`;
      if (kind.startsWith('image/png')) {
        clearTimeout(timer);
        const picture = document.createElement('img');
        picture.src = url;
        picture.alt = url;
        place.replaceChildren(picture);
        return;
      }
      const reader = got.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        text += part.value;
        shown(place, title, text);
      }
    } catch (error) {
      if (error.name !== 'AbortError') text = String(error);
    }
    clearTimeout(timer);
    shown(place, title, text, kind);
  }

  /* By every word of what is typed, anywhere in an operation or a schema; what matches is shown, the rest is not. */
  function searched(event) {
    const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const one of document.querySelectorAll('main details')) {
      const text = `${one.id} ${one.textContent}`.toLowerCase();
      one.hidden = !words.every((word) => text.includes(word));
      found += !one.hidden;
    }
    for (const section of document.querySelectorAll('main > section[id]')) section.hidden = words.length > 0 && !section.querySelector('details:not([hidden])');
    const status = document.getElementById('found');
    status.textContent = words.length ? found || status.dataset.none : '';
  }

  document.documentElement.classList.add('live');
  const search = document.querySelector('.search');
  search.addEventListener('submit', (event) => event.preventDefault());
  search.addEventListener('input', searched);
  for (const code of document.querySelectorAll('.copied code')) code.textContent = code.textContent.replaceAll('https://ticker.example', location.origin);
  for (const block of document.querySelectorAll('.copied')) copyable(block);
  for (const form of document.querySelectorAll('.try')) form.addEventListener('submit', tried);
  const wanted = location.hash && document.querySelector(location.hash);
  if (wanted && wanted.localName === 'details') wanted.open = true;
})();
