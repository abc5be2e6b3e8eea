/* The page's controls: what they change is shown at once; without this file the forms do the same with a reload. */
(() => {
  'use strict';
  const root = document.documentElement;
  const form = document.getElementById('choice');
  const live = document.getElementById('live');
  const paper = document.getElementById('paper');
  const ways = document.getElementById('ways');
  const none = document.getElementById('none');
  /* What follows from a form of the page beside the choice: the day, the period, the converter. */
  const others = new URLSearchParams(location.search);
  for (const name of [...others.keys()]) if (!['range', 'at', 'amount', 'from', 'to'].includes(name)) others.delete(name);

  function query() {
    const data = new FormData(form);
    const all = form.querySelectorAll('[name=symbols]').length;
    const symbols = data.getAll('symbols');
    const asked = new URLSearchParams();
    if (symbols.length && symbols.length < all) asked.set('symbols', symbols.join(','));
    for (const name of ['lang', 'ui', 'style', 'theme', 'size', 'colours']) {
      const control = form.querySelector(`[name=${name}]`);
      if (name === 'lang' || data.get(name) !== (control.type === 'radio' ? { style: 'plain', theme: 'auto', size: 'normal', colours: 'text' }[name] : data.get('lang'))) asked.set(name, data.get(name));
    }
    return asked;
  }
  function address() {
    return '?' + new URLSearchParams([...query(), ...others]);
  }

  let asking;
  async function fetched() {
    asking?.abort();
    const own = asking = new AbortController();
    const got = await fetch('/' + address(), { cache: 'no-cache', signal: own.signal });
    if (!got.ok) throw new Error('no page');
    return new DOMParser().parseFromString(await got.text(), 'text/html');
  }

  /* Of the fresh page, only what follows the choice or the time; the reader's place and focus stay. */
  function take(page, ...selectors) {
    for (const selector of selectors) {
      for (const old of document.querySelectorAll(selector)) {
        const fresh = old.id ? page.getElementById(old.id) : page.querySelector(selector);
        if (fresh) old.replaceChildren(...fresh.childNodes);
      }
    }
  }
  async function refreshed(...selectors) {
    history.replaceState(null, '', address() + location.hash);
    try {
      const open = ways.querySelector('details[open]')?.id;
      take(await fetched(), ...selectors);
      if (selectors.includes('#ways')) {
        for (const one of ways.children) one.open = one.id === open;
        coded();
      }
      charts();
    } catch { /* What is shown stays. */ }
  }

  function changed(event) {
    const boxes = [...form.querySelectorAll('[name=symbols]')];
    none.textContent = '';
    if (boxes.length && !boxes.some((box) => box.checked)) {
      (event?.target.name === 'symbols' ? event.target : boxes[0]).checked = true;
      none.textContent = none.dataset.text;
      return;
    }
    const data = new FormData(form);
    for (const name of ['theme', 'size', 'colours']) paper.dataset[name] = data.get(name);
    const symbols = new URLSearchParams(query()).get('symbols') || '';
    for (const [name, value] of [['lang', data.get('lang')], ['variant', data.get('style')], ['symbols', symbols]]) {
      if (live.getAttribute(name) !== value) live.setAttribute(name, value);
    }
    refreshed('#ways', '#cards', '.ranges', 'form.day');
  }

  /* The code names the address that this page was asked at, where none is configured. */
  function coded() {
    for (const code of ways.querySelectorAll('code')) code.textContent = code.textContent.replaceAll('https://ticker.example', location.origin);
    for (const block of ways.querySelectorAll('pre')) copyable(block, ways.dataset);
  }
  /* Where there is no clipboard for scripts (plain http), what is selected is copied, or left selected for the reader. */
  async function copied(block) {
    try {
      await navigator.clipboard.writeText(block.textContent);
      return true;
    } catch {
      const range = document.createRange();
      range.selectNodeContents(block);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      return document.execCommand('copy');
    }
  }
  function copyable(block, said) {
    const frame = document.createElement('div');
    const button = document.createElement('button');
    frame.className = 'code';
    button.type = 'button';
    button.textContent = said.copy;
    button.setAttribute('aria-live', 'polite');
    button.addEventListener('click', async () => {
      button.textContent = await copied(block) ? ways.dataset.copied : ways.dataset.yourself;
      setTimeout(() => { button.textContent = said.copy; }, 2500);
    });
    block.replaceWith(frame);
    frame.append(block, button);
  }

  const SVG = 'http://www.w3.org/2000/svg';
  /* A slider under each chart goes through its numbers, by pointer, touch and keyboard; a screen reader is told each. */
  function charts() {
    for (const svg of document.querySelectorAll('.chart svg')) if (!svg.nextElementSibling) read(svg);
    for (const details of document.querySelectorAll('.evidence')) details.addEventListener('toggle', () => explained(details), { once: true });
  }
  function read(svg) {
    const said = document.getElementById('cards').dataset;
    const { zone, decimals } = svg.parentNode.dataset;
    const number = new Intl.NumberFormat(root.lang, { minimumFractionDigits: Number(decimals), maximumFractionDigits: Number(decimals) });
    const day = new Intl.DateTimeFormat(root.lang, { dateStyle: 'medium', timeZone: zone });
    const minute = new Intl.DateTimeFormat(root.lang, { dateStyle: 'medium', timeStyle: 'short', timeZone: zone });
    const clock = new Intl.DateTimeFormat('en', { hour: 'numeric', minute: 'numeric', hourCycle: 'h23', timeZone: zone });
    const points = (svg.dataset.points || '').split(';').filter(Boolean).map((one) => one.split(' '));
    if (points.length < 2) return;
    const [from, to, left, right, top, bottom, low, high] = ['from', 'to', 'left', 'right', 'top', 'bottom', 'low', 'high'].map((name) => Number(svg.dataset[name]));
    const x = (second) => left + Math.min(1, Math.max(0, (second - from) / (to - from || 1))) * (right - left);
    const y = (price) => top + (1 - (price - low) / (high - low || 1)) * (bottom - top);
    const line = document.createElementNS(SVG, 'path');
    const dot = document.createElementNS(SVG, 'circle');
    line.setAttribute('class', 'chart-cursor');
    dot.setAttribute('class', 'chart-cursor');
    dot.setAttribute('r', '4');
    const slider = document.createElement('input');
    const told = document.createElement('output');
    slider.type = 'range';
    slider.max = String(points.length - 1);
    slider.value = slider.max;
    slider.setAttribute('aria-label', `${said.readout}: ${svg.getAttribute('aria-label').split(':')[0]}`);
    svg.after(slider, told);
    const show = () => {
      const [second, price, standing] = points[slider.value];
      const at = new Date(second * 1000);
      const when = /^(24|0?0):00$/.test(clock.format(at)) ? day.format(at) : minute.format(at);
      const text = `${when}: ${number.format(price)}${said[standing] ? `, ${said[standing]}` : ''}`;
      slider.setAttribute('aria-valuetext', text);
      told.textContent = text;
      line.setAttribute('d', `M${x(second).toFixed(1)} ${top}V${bottom}`);
      dot.setAttribute('cx', x(second).toFixed(1));
      dot.setAttribute('cy', y(price).toFixed(1));
    };
    const use = () => {
      if (!line.isConnected) svg.append(line, dot);
      show();
    };
    /* The number that held at the pointer: the last one at or before it. */
    const follow = (event) => {
      const box = svg.getBoundingClientRect();
      const along = ((event.clientX - box.left) / box.width * svg.viewBox.baseVal.width - left) / (right - left);
      const second = from + along * (to - from);
      let place = points.findIndex((point) => Number(point[0]) > second) - 1;
      if (place < -1) place = points.length - 1;
      slider.value = String(Math.max(0, place));
      use();
    };
    svg.addEventListener('pointermove', follow);
    svg.addEventListener('pointerdown', follow);
    slider.addEventListener('input', use);
    slider.addEventListener('focus', use);
    show();
  }

  async function explained(details) {
    try {
      const got = await fetch(details.dataset.src);
      const body = document.createElement('pre');
      body.tabIndex = 0;
      body.textContent = JSON.stringify(await got.json(), null, 2);
      details.append(body);
    } catch { /* The link stays. */ }
  }

  /* The board of now goes on; one of a day of the past stands. */
  let looked = Date.now();
  live.addEventListener('quotes', async () => {
    if (Date.now() - looked < 10000 || others.has('at')) return;
    looked = Date.now();
    try {
      const page = await fetched();
      for (const card of document.querySelectorAll('.card')) {
        const fresh = page.getElementById(card.id);
        if (fresh) card.querySelector('.facts').replaceChildren(...fresh.querySelector('.facts').childNodes);
      }
      take(page, '#sources tbody', '#sources summary');
    } catch { /* As above. */ }
  });

  document.addEventListener('click', (event) => {
    const range = event.target.closest?.('.ranges a');
    if (!range || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    others.set('range', new URL(range.href).searchParams.get('range'));
    for (const one of document.querySelectorAll('.ranges a')) one.toggleAttribute('aria-current', one === range);
    range.setAttribute('aria-current', 'true');
    refreshed('#cards', 'form.day');
  });
  document.getElementById('converter')?.addEventListener('submit', (event) => {
    event.preventDefault();
    for (const [name, value] of new FormData(event.target)) if (['amount', 'from', 'to'].includes(name)) others.set(name, value);
    refreshed('#converted');
  });
  document.getElementById('converter')?.addEventListener('change', (event) => event.target.form.requestSubmit());

  form.addEventListener('change', changed);
  form.addEventListener('submit', (event) => { event.preventDefault(); changed(); });
  coded();
  for (const quote of document.querySelectorAll('.copied')) copyable(quote, quote.dataset);
  charts();
})();
