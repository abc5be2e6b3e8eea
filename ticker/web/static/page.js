/* The page's controls: what they change is shown at once; without this file the form does the same with a reload. */
(() => {
  'use strict';
  const form = document.getElementById('choice');
  const live = document.getElementById('live');
  const ways = document.getElementById('ways');

  function query() {
    const data = new FormData(form);
    const all = form.querySelectorAll('[name=symbols]').length;
    const symbols = data.getAll('symbols');
    const asked = new URLSearchParams();
    if (symbols.length && symbols.length < all) asked.set('symbols', symbols.join(','));
    for (const name of ['lang', 'style', 'theme']) asked.set(name, data.get(name));
    return asked;
  }

  async function fetched() {
    const got = await fetch('/?' + query(), { cache: 'no-cache' });
    if (!got.ok) throw new Error('no page');
    return new DOMParser().parseFromString(await got.text(), 'text/html');
  }

  /* Of the fresh page, only what follows the choice or the time; the reader's place and focus stay. */
  function take(page, ...selectors) {
    for (const selector of selectors) {
      const fresh = page.querySelectorAll(selector);
      document.querySelectorAll(selector).forEach((old, place) => fresh[place] && old.replaceChildren(...fresh[place].childNodes));
    }
  }

  async function changed() {
    const asked = query();
    history.replaceState(null, '', '?' + asked + location.hash);
    document.documentElement.dataset.theme = asked.get('theme');
    for (const [name, value] of [['lang', asked.get('lang')], ['variant', asked.get('style')], ['symbols', asked.get('symbols') || '']]) {
      if (live.getAttribute(name) !== value) live.setAttribute(name, value);
    }
    try {
      take(await fetched(), '#now tbody', '#ways code');
      located();
    } catch { /* what is shown stays */ }
  }

  /* The code names the address that this page was asked at, where none is configured. */
  function located() {
    for (const code of ways.querySelectorAll('code')) code.textContent = code.textContent.replaceAll('https://ticker.example', location.origin);
  }

  function copying() {
    for (const block of ways.querySelectorAll('pre')) {
      const frame = document.createElement('div');
      const button = document.createElement('button');
      frame.className = 'code';
      button.type = 'button';
      button.textContent = ways.dataset.copy;
      button.addEventListener('click', async () => {
        await navigator.clipboard.writeText(block.textContent);
        button.textContent = ways.dataset.copied;
        setTimeout(() => { button.textContent = ways.dataset.copy; }, 2000);
      });
      block.replaceWith(frame);
      frame.append(block, button);
    }
  }

  let refreshed = Date.now();
  live.addEventListener('quotes', async () => {
    if (Date.now() - refreshed < 10000) return;
    refreshed = Date.now();
    try {
      take(await fetched(), '#now tbody', '#sources tbody');
    } catch { /* as above */ }
  });

  const SVG = 'http://www.w3.org/2000/svg';
  function drawn(symbol, prices) {
    const low = Math.min(...prices), high = Math.max(...prices), span = high - low || 1;
    const figure = document.createElement('figure');
    const svg = document.createElementNS(SVG, 'svg');
    const path = document.createElementNS(SVG, 'path');
    const caption = document.createElement('figcaption');
    caption.textContent = `${symbol}: ${low} – ${high}`;
    path.setAttribute('d', prices.map((price, place) => `${place ? 'L' : 'M'}${(place / (prices.length - 1)) * 300},${100 - ((price - low) / span) * 100}`).join(''));
    svg.setAttribute('viewBox', '0 0 300 100');
    svg.setAttribute('preserveAspectRatio', 'none');
    svg.setAttribute('aria-hidden', 'true');
    svg.append(path);
    figure.append(svg, caption);
    return figure;
  }

  /* A price a day or, where there are too few days yet, every price there is. */
  async function line(symbol) {
    for (const interval of ['1d', 'raw']) {
      const got = await fetch(`/v1/quotes/${encodeURIComponent(symbol)}/history?interval=${interval}&limit=2000`);
      const prices = got.ok ? (await got.json()).points.map((point) => point.price) : [];
      if (prices.length > 1) return prices;
    }
    return null;
  }

  async function past() {
    const section = document.getElementById('history');
    const charts = section?.querySelector('.charts');
    for (const symbol of charts?.dataset.symbols.split(',') || []) {
      try {
        const prices = await line(symbol);
        if (prices) charts.append(drawn(symbol, prices));
        section.hidden = !charts.children.length;
      } catch { /* no chart */ }
    }
  }

  form.addEventListener('change', changed);
  form.addEventListener('submit', (event) => { event.preventDefault(); changed(); });
  located();
  copying();
  past();
})();
