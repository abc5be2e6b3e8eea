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

  function shown(place, title, text) {
    const head = document.createElement('h3');
    const body = document.createElement('pre');
    head.textContent = title;
    body.textContent = text.length > MOST ? `${text.slice(0, MOST)}\n…` : text;
    body.tabIndex = 0;
    place.replaceChildren(head, body);
  }

  async function tried(event) {
    event.preventDefault();
    const form = event.target;
    const url = address(form);
    const place = form.nextElementSibling;
    const stop = new AbortController();
    /* A stream does not end: what came within a moment is shown. */
    const timer = setTimeout(() => stop.abort(), 5000);
    let title = `GET ${url}`, text = '';
    try {
      const got = await fetch(url, { signal: stop.signal });
      title = `GET ${url}: ${got.status} ${got.headers.get('Content-Type')}`;
      const reader = got.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        text += part.value;
        shown(place, title, text);
      }
    } catch (error) {
      if (error.name !== 'AbortError') text = String(error);
    }
    clearTimeout(timer);
    shown(place, title, text);
  }

  document.documentElement.classList.add('live');
  for (const form of document.querySelectorAll('.try')) form.addEventListener('submit', tried);
  const wanted = location.hash && document.querySelector(location.hash);
  if (wanted && wanted.localName === 'details') wanted.open = true;
})();
