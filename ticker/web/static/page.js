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
  function drawn(prices, low, high) {
    const span = high - low || 1;
    const svg = document.createElementNS(SVG, 'svg');
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('d', prices.map((price, place) => `${place ? 'L' : 'M'}${(place / (prices.length - 1)) * 300},${100 - ((price - low) / span) * 100}`).join(''));
    svg.setAttribute('viewBox', '0 0 300 100');
    svg.setAttribute('preserveAspectRatio', 'none');
    svg.setAttribute('aria-hidden', 'true');
    svg.append(path);
    return svg;
  }

  /* From the lowest to the highest and from the first day to the last, as the reader's language writes them. */
  function told(points, low, high, decimals, lang) {
    const number = new Intl.NumberFormat(lang, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
    const day = new Intl.DateTimeFormat(lang, { dateStyle: 'medium', timeZone: 'UTC' });
    /* The day where the source is, which is what is written before the T. */
    const [first, last] = [points[0], points.at(-1)].map((point) => Date.parse(point.as_of.slice(0, 10)));
    return `: ${number.format(low)} – ${number.format(high)}, ${first === last ? day.format(first) : day.formatRange(first, last)}`;
  }

  /* A price a day or, where there are too few days yet, every price there is. */
  async function line(symbol) {
    for (const interval of ['1d', 'raw']) {
      const got = await fetch(`/v1/quotes/${encodeURIComponent(symbol)}/history?interval=${interval}&limit=2000`);
      const points = got.ok ? (await got.json()).points : [];
      if (points.length > 1) return points;
    }
    return null;
  }

  async function past() {
    for (const figure of document.querySelectorAll('#history figure')) {
      try {
        const points = await line(figure.dataset.symbol);
        if (!points) continue;
        const prices = points.map((point) => point.price);
        const low = Math.min(...prices), high = Math.max(...prices), caption = figure.lastElementChild;
        caption.append(told(points, low, high, Number(figure.dataset.decimals), caption.lang));
        figure.prepend(drawn(prices, low, high));
        figure.hidden = document.getElementById('history').hidden = false;
      } catch { /* no chart */ }
    }
  }

  form.addEventListener('change', changed);
  form.addEventListener('submit', (event) => { event.preventDefault(); changed(); });
  located();
  copying();
  past();
})();
