/* <market-ticker>: makes the server's fragment live. One file, no dependencies; without it the fragment is right too.
 *
 *   <script src="https://HOST/widget.js" async></script>
 *   <market-ticker symbols="USD,EUR" lang="en" variant="change"> the fragment of /widget, or nothing </market-ticker>
 *
 * Attributes: src (the service; default: where this file is from), symbols, lang, variant, announce (seconds between
 * spoken updates; default 300, 0 for never). Parts: list, item, label, price, change, age. */
(() => {
  'use strict';
  const home = document.currentScript ? new URL('.', document.currentScript.src).href : location.origin + '/';
  const still = matchMedia('(prefers-reduced-motion: reduce)');
  const PARTS = { LI: 'item', ABBR: 'label', DATA: 'price', SPAN: 'price', SMALL: 'change', TIME: 'age', IMG: 'picture' };
  const feeds = new Map();

  /* One connection for all elements of a page that read the same service in the same language. */
  class Feed {
    constructor(base, lang) {
      this.base = base;
      this.query = lang ? '?lang=' + encodeURIComponent(lang) : '';
      this.readers = new Set();
      this.failures = 0;
      addEventListener('visibilitychange', () => this.turn());
    }
    static of(base, lang) {
      const key = base + ' ' + lang;
      if (!feeds.has(key)) feeds.set(key, new Feed(base, lang));
      return feeds.get(key);
    }
    join(reader) {
      this.readers.add(reader);
      if (this.board) reader.show(this.board);
      this.turn();
    }
    leave(reader) {
      this.readers.delete(reader);
      this.turn();
    }
    /* Listening while anybody looks, silent otherwise. */
    turn() {
      const wanted = this.readers.size > 0 && !document.hidden;
      if (wanted && !this.clock) {
        this.heard ||= Date.now();
        this.clock = setInterval(() => this.watch(), 2000);
        this.listen();
      } else if (!wanted && this.clock) {
        this.clock = clearInterval(this.clock);
        this.close();
      }
    }
    close() {
      clearTimeout(this.later);
      this.source?.close();
    }
    listen() {
      this.close();
      const source = this.source = new EventSource(this.base + 'v1/stream' + this.query);
      source.addEventListener('quotes', (event) => {
        this.failures = 0;
        this.take(event.data);
      });
      source.onopen = () => { this.down = false; };
      source.onerror = () => this.failed();
      /* A proxy that keeps events to itself answers, but nothing comes. */
      this.later = setTimeout(() => this.board || this.ask(), 10000);
    }
    /* The browser reconnects by itself, unless it was refused; meanwhile we ask, ever more seldom. */
    failed() {
      this.down = true;
      const pause = Math.min(60000, 1000 * 2 ** this.failures++) * (0.5 + Math.random());
      if (this.failures > 1) this.ask();
      if (this.source.readyState === 2) {
        clearTimeout(this.later);
        this.later = setTimeout(() => this.listen(), pause);
      }
    }
    async ask() {
      try {
        const got = await fetch(this.base + 'v1/quotes' + this.query, { cache: 'no-cache', signal: AbortSignal.timeout(8000) });
        if (!got.ok) throw got;
        this.take(await got.text());
      } catch {
        this.down = true;
      }
    }
    take(text) {
      const board = JSON.parse(text);
      this.down = false;
      this.heard = Date.now();
      if (this.board?.version > board.version) return;
      this.board = board;
      this.readers.forEach((reader) => reader.show(board));
    }
    /* A connection can die without a word: after a minute of silence we ask. */
    watch() {
      const silent = Date.now() - this.heard;
      if (silent > (this.down ? 20000 : 60000)) this.ask();
      this.readers.forEach((reader) => reader.lost(this.down && silent > 5000 ? silent / 1000 : 0));
    }
  }

  class MarketTicker extends HTMLElement {
    static observedAttributes = ['src', 'symbols', 'lang', 'variant'];
    get base() {
      return new URL(this.getAttribute('src') || home, location.href).href.replace(/\/?$/, '/');
    }
    connectedCallback() {
      this.ready = true;
      const start = () => this.start(this.querySelector('.market-ticker'));
      if (document.readyState === 'loading') addEventListener('DOMContentLoaded', start, { once: true });
      else start();
    }
    disconnectedCallback() {
      this.ready = false;
      this.feed?.leave(this);
    }
    attributeChangedCallback() {
      if (this.ready) this.start();
    }
    async start(list) {
      const turn = this.turn = {};
      const [sheet, made] = await Promise.all([this.style(), list || this.fetched()]);
      if (turn !== this.turn || !this.ready || !made) return;
      const root = this.root ||= sheet ? this.attachShadow({ mode: 'open' }) : this;
      if (sheet) root.adoptedStyleSheets = [sheet];
      if (this.list !== made) this.list?.remove();
      this.list = made;
      this.dress(made);
      root.append(made);
      if (!this.voice) {
        this.voice = document.createElement('p');
        this.voice.setAttribute('role', 'status');
        this.voice.className = 'market-ticker-voice';
        root.append(this.voice);
        this.spoken = Date.now();
      }
      this.feed?.leave(this);
      this.feed = Feed.of(this.base, made.lang);
      this.feed.join(this);
    }
    async fetched() {
      const query = new URLSearchParams();
      const wanted = { symbols: this.getAttribute('symbols'), lang: this.closest('[lang]')?.lang, style: this.getAttribute('variant') };
      for (const name in wanted) if (wanted[name]) query.set(name, wanted[name]);
      try {
        const got = await fetch(this.base + 'widget?' + query);
        const page = new DOMParser().parseFromString(await got.text(), 'text/html');
        return got.ok && document.adoptNode(page.querySelector('.market-ticker'));
      } catch {
        clearTimeout(this.retry);
        this.retry = setTimeout(() => this.ready && !this.list && this.start(), 15000);
      }
    }
    async style() {
      try {
        const got = await fetch(this.base + 'widget.css');
        return got.ok && await new CSSStyleSheet().replace(await got.text());
      } catch { /* as the page has it */ }
    }
    dress(list) {
      list.part = 'list';
      for (const one of list.querySelectorAll('*')) if (PARTS[one.tagName]) one.part = PARTS[one.tagName];
      for (const one of list.children) one.noted = one.querySelector('time')?.textContent;
      for (const one of list.querySelectorAll('img')) one.src = new URL(one.getAttribute('src'), this.base);
    }
    show(board) {
      for (const quote of board.quotes) {
        const item = [...this.list.children].find((one) => one.dataset.symbol === quote.symbol);
        if (item) this.put(item, quote);
      }
      this.list.dataset.version = board.version;
      this.dispatchEvent(new CustomEvent('quotes', { detail: board }));
      this.say(board);
    }
    put(item, quote) {
      const { price, change } = quote.display;
      const old = item.querySelector('data, span');
      const before = old.value;
      item.dataset.status = quote.status;
      let shown = old;
      if ((price === null) !== (old.tagName === 'SPAN')) {
        shown = document.createElement(price === null ? 'span' : 'data');
        shown.part = 'price';
        old.replaceWith(shown);
      }
      this.text(shown, price ?? '\u2014');
      if (price === null) shown.title = quote.status;
      else if (shown.value !== String(quote.price)) {
        shown.value = quote.price;
        if (before && !still.matches && +before !== quote.price) {
          shown.animate({ opacity: [0.35, 1] }, { duration: 700, easing: 'ease-out' });
        }
      }
      if (this.list.dataset.style) {
        this.text(this.child(item, 'small', change), change);
        const way = parseFloat(quote.change_percent);
        if (change) item.dataset.direction = way > 0 ? 'up' : way < 0 ? 'down' : 'flat';
        else delete item.dataset.direction;
      }
      item.noted = quote.status === 'stale' ? this.when(quote.as_of) : '';
      this.note(item, item.noted);
      if (item.noted) item.querySelector('time').dateTime = quote.as_of;
    }
    /* The source's own clock, as the server writes it. */
    when(text) {
      const dated = text.includes('T00:00:00');
      const form = dated ? { dateStyle: 'medium' } : { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
      return new Intl.DateTimeFormat(this.list.lang, { ...form, timeZone: 'UTC' }).format(new Date(text.slice(0, 19) + 'Z'));
    }
    note(item, text) {
      this.text(this.child(item, 'time', text), text);
    }
    /* The service does not answer: what is shown stays, with how long ago it was last confirmed. */
    lost(seconds) {
      if (!seconds && !this.gone) return;
      this.gone = seconds > 0;
      const [size, unit] = [[86400, 'day'], [3600, 'hour'], [60, 'minute'], [0, 'second']].find(([one]) => seconds >= one);
      const age = new Intl.RelativeTimeFormat(this.list.lang, { style: 'short' }).format(-Math.floor(seconds / (size || 1)), unit);
      this.list.toggleAttribute('data-lost', this.gone);
      for (const item of this.list.children) if (item.querySelector('data')) this.note(item, this.gone ? age : item.noted);
    }
    child(item, name, wanted) {
      let one = item.querySelector(name);
      if (!one && wanted) {
        one = document.createElement(name);
        one.part = PARTS[name.toUpperCase()];
        item.querySelector(name === 'small' ? 'data, span' : ':scope > :last-child').after(' ', one);
      } else if (one && !wanted) one.remove();
      return one;
    }
    text(node, text) {
      if (node && node.textContent !== (text || '')) node.textContent = text || '';
    }
    /* Politely, and seldom: a reader who listens to a page is not to be read prices every minute. */
    say(board) {
      const pause = 1000 * (this.getAttribute('announce') ?? 300);
      if (!pause || Date.now() - this.spoken < pause) return;
      this.spoken = Date.now();
      const shown = [...this.list.children].map((one) => one.dataset.symbol);
      this.voice.textContent = board.quotes.filter((one) => shown.includes(one.symbol))
        .map((one) => one.name + ' ' + (one.display.price ?? '\u2014')).join(', ');
    }
  }
  customElements.get('market-ticker') || customElements.define('market-ticker', MarketTicker);
})();
