/* <market-ticker>: keeps the server's fragment up to date, as a script, a module or an `import`.
 * Attributes, parts, event: ticker/web/README.md.
 *
 *   <script src="https://HOST/widget.js" async></script>
 *   <market-ticker symbols="USD,EUR" lang="en" variant="change"> the fragment of /widget, or nothing </market-ticker> */
(() => {
  'use strict';
  if (customElements.get('market-ticker')) return;

  const RETRY_FIRST = 2000, RETRY_MOST = 60000, ASK_LEAST = 5000, ASK_MOST = 300000, TIMEOUT = 8000;
  const still = matchMedia('(prefers-reduced-motion: reduce)');
  /* What a fragment is made of. Anything else is left out, whoever sent it. */
  const ELEMENTS = new Map(Object.entries({
    ul: 'list', li: 'item', abbr: 'label', data: 'price', span: '', small: 'change', time: 'age', em: '', svg: 'picture', path: '', title: '',
  }));
  const ATTRIBUTES = new Set(['class', 'lang', 'dir', 'title', 'value', 'datetime', 'role', 'aria-label', 'aria-hidden',
    'viewBox', 'width', 'height', 'd', 'fill', 'stroke', 'stroke-width', 'stroke-linejoin', 'stroke-linecap', 'vector-effect', 'preserveAspectRatio']);

  /* Where this file is from. An <img name="currentScript"> is no script; a module has none, but a stack that names it. */
  const script = document.currentScript;
  const here = (script instanceof HTMLScriptElement && script.src)
    || (/(https?:\/\/[^\s()'"]+?\/widget\.js)/.exec(new Error().stack || '') || [])[1]
    || [...document.querySelectorAll('script')].map((one) => one.getAttribute('src') || one.getAttribute('data-src') || '').find((one) => /\/widget\.js(\?|$)/.test(one));
  const home = here && new URL('.', new URL(here, document.baseURI)).href;

  /* A copy of `node`, a parsed and inert element, that holds only what a fragment is made of. */
  const copy = (node) => {
    const name = node.localName;
    if (!ELEMENTS.has(name)) return document.createTextNode('');
    const made = node.namespaceURI === 'http://www.w3.org/2000/svg' ? document.createElementNS(node.namespaceURI, name) : document.createElement(name);
    for (const { name: key, value } of node.attributes) if (ATTRIBUTES.has(key) || /^data-[a-z-]+$/.test(key)) made.setAttribute(key, value);
    for (const child of node.childNodes) {
      if (child.nodeType === 3) made.append(child.data);
      else if (child.nodeType === 1) made.append(copy(child));
    }
    const part = name === 'span' && node.parentNode?.localName === 'li' ? 'price' : ELEMENTS.get(name);
    if (part) made.setAttribute('part', part);
    return made;
  };

  /* `XMLHttpRequest` parses into an inert document by itself, so that a page with Trusted Types needs no policy of ours.
   * Elements that want the same at the same time share one request, but none that may have begun before the news. */
  const requests = new Map();
  const request = (url, news) => {
    if (news || !requests.has(url)) {
      const answer = new Promise((resolve, reject) => {
        const asked = new XMLHttpRequest();
        asked.open('GET', url);
        asked.responseType = 'document';
        asked.timeout = TIMEOUT;
        asked.onload = () => resolve(asked);
        asked.onerror = asked.ontimeout = asked.onabort = () => reject(new Error('no answer'));
        asked.send();
      });
      requests.set(url, answer);
      answer.catch(() => {}).then(() => requests.delete(url));
    }
    return requests.get(url);
  };

  /* One stream for all elements of a page that read the same service. */
  const streams = new Map();
  const join = (url, reader) => {
    let shared = streams.get(url);
    if (!shared) {
      shared = { source: new EventSource(url), readers: new Set() };
      streams.set(url, shared);
      shared.source.addEventListener('quotes', (event) => {
        shared.version = event.lastEventId;
        shared.readers.forEach((one) => one.refresh(shared.version));
      });
      /* A browser reconnects by itself unless it was refused; then each reader goes on asking, and tries anew after it. */
      shared.source.onerror = () => {
        if (shared.source.readyState !== 2) return;
        streams.delete(url);
        shared.readers.forEach((one) => { one.leave = null; });
      };
    }
    shared.readers.add(reader);
    /* Who joins late has not heard what the others were told. */
    if (shared.version) {
      reader.news = shared.version;
      reader.due = 0;
    }
    return () => {
      shared.readers.delete(reader);
      if (shared.readers.size) return;
      shared.source.close();
      streams.delete(url);
    };
  };

  const sheets = new Map();
  /* The style, once for all elements of a page that read the same service. */
  const sheetOf = (base) => {
    if (!sheets.has(base)) {
      const loaded = (async () => {
        try {
          const got = await fetch(base + 'widget.css', { credentials: 'omit' });
          if (got.ok) return await new CSSStyleSheet().replace(await got.text());
        } catch { /* The list stays in the page's own style. */ }
        sheets.delete(base);
        return null;
      })();
      sheets.set(base, loaded);
    }
    return sheets.get(base);
  };

  class MarketTicker extends HTMLElement {
    static observedAttributes = ['src', 'symbols', 'lang', 'variant', 'live', 'link', 'one-line'];

    get base() {
      const named = this.getAttribute('src') || home;
      return named && new URL(named, document.baseURI).href.replace(/\/?$/, '/');
    }
    /* `en_US` is written `en-US`; what is no language is left to the service to choose. */
    get language() {
      try {
        return Intl.getCanonicalLocales((this.closest('[lang]')?.lang || '').replace(/_/g, '-'))[0] || '';
      } catch {
        return '';
      }
    }
    get address() {
      /* What the attributes leave open is as in the fragment that the server put here. */
      const given = this.given || {};
      const wanted = {
        symbols: this.getAttribute('symbols') || given.symbols,
        lang: this.refused ? '' : this.language || given.lang,
        style: this.getAttribute('variant') || given.style,
      };
      const query = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value && value !== 'plain'));
      return this.base + 'widget?' + query;
    }

    connectedCallback() {
      this.failures = 0;
      this.seen = false;
      this.confirmed = this.spoken = Date.now();
      this.wake = () => this.turn();
      this.rest = () => this.close();
      for (const name of ['visibilitychange', 'online', 'pageshow']) addEventListener(name, this.wake);
      addEventListener('pagehide', this.rest);
      this.watch = new IntersectionObserver((found) => {
        this.seen = found[found.length - 1].isIntersecting;
        this.turn();
      });
      this.watch.observe(this);
      const start = () => this.isConnected && this.begin();
      if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', start, { once: true });
      else start();
    }
    disconnectedCallback() {
      this.close();
      this.watch?.disconnect();
      for (const name of ['visibilitychange', 'online', 'pageshow']) removeEventListener(name, this.wake);
      removeEventListener('pagehide', this.rest);
      clearInterval(this.ageing);
      this.started = false;
    }
    attributeChangedCallback() {
      if (!this.started) return;
      this.close();
      this.refused = false;
      this.due = 0;
      this.turn();
    }

    /* Take up the fragment that a server has put here; a stub, or nothing, is replaced as soon as there is an answer. */
    begin() {
      if (!this.base) {
        console.warn('<market-ticker> does not know its service: give it a src attribute');
        return;
      }
      this.started = true;
      this.due = 0;
      const given = this.querySelector('ul.market-ticker[data-version]');
      if (given && !this.list) {
        const symbols = [...given.children].map((item) => item.dataset.symbol).filter(Boolean).join(',');
        this.given = { symbols, lang: given.lang, style: given.dataset.style };
        this.list = given;
        sheetOf(this.base).then((sheet) => sheet && this.list === given && this.show(given, sheet));
      }
      this.ageing ||= setInterval(() => this.age(), 1000);
      this.turn();
    }
    get wanted() {
      return this.started && this.isConnected && this.seen && !document.hidden;
    }
    close() {
      clearTimeout(this.timer);
      this.leave?.();
      this.leave = null;
    }
    /* Asking while anybody looks, silent otherwise. */
    turn() {
      if (!this.wanted) {
        this.close();
        return;
      }
      if (this.hasAttribute('live')) {
        const lang = this.language;
        this.leave ||= join(this.base + 'v1/stream' + (lang ? '?lang=' + encodeURIComponent(lang) : ''), this);
      }
      clearTimeout(this.timer);
      if (!this.asking) this.timer = setTimeout(() => this.ask(), Math.max(0, this.due - Date.now()));
    }
    /* There is news, a version: ask now, past what the browser has kept. */
    refresh(version = 1) {
      this.news = version;
      this.due = 0;
      this.turn();
    }
    async ask() {
      this.asking = true;
      const { address, news } = this;
      try {
        if (news) await fetch(address, { cache: 'no-cache', credentials: 'omit', signal: AbortSignal.timeout(TIMEOUT) });
        const got = await request(address, news);
        const list = got.status === 200 && got.response?.querySelector('ul.market-ticker[data-version]');
        if (got.status === 400 && !this.refused) {
          this.refused = true;
          this.due = 0;
        } else if (!list) throw new Error('no fragment');
        else {
          this.failures = 0;
          this.answered = true;
          this.confirmed = Date.now();
          const kept = /max-age=(\d+)/.exec(got.getResponseHeader('Cache-Control') || '');
          const pause = Math.min(ASK_MOST, Math.max(ASK_LEAST, kept ? kept[1] * 1000 : 60000));
          const sheet = await sheetOf(this.base);
          if (!sheet) throw new Error('no style');
          /* A copy on the way may have yet to hear the news. */
          const behind = list.dataset.version < Number(news), asked = address === this.address;
          this.due = Date.now() + (behind ? ASK_LEAST : pause) + Math.random() * 1000;
          if (!asked || news !== this.news) this.due = 0;
          else if (!behind) this.news = 0;
          if (asked) this.show(list, sheet);
        }
      } catch {
        this.due = Date.now() + Math.min(RETRY_MOST, RETRY_FIRST * 2 ** this.failures++) * (0.5 + Math.random() / 2);
      }
      this.asking = false;
      this.turn();
    }

    /* In a tree of its own: what the page, or its framework, has put between the tags is left alone. */
    show(fragment, sheet) {
      const said = fragment.outerHTML;
      if (said === this.said) {
        this.age();
        return;
      }
      this.said = said;
      const made = copy(fragment);
      const root = this.shadowRoot || this.attachShadow({ mode: 'open' });
      root.adoptedStyleSheets = [sheet];
      const old = this.list;
      const priced = new Map(old ? [...old.children].map((item) => [item.dataset.symbol, item.querySelector('data')?.value]) : []);
      const opened = root.activeElement?.closest?.('li')?.dataset.symbol;
      for (const item of made.children) this.prepare(item);
      if (this.hasAttribute('one-line')) made.dataset.oneLine = '';
      if (old?.parentNode === root) old.replaceWith(made);
      else root.prepend(made);
      this.list = made;
      this.speak(root);
      for (const item of made.children) {
        const price = item.querySelector('data');
        const before = priced.get(item.dataset.symbol);
        if (price && before && before !== price.value && !still.matches) price.animate({ opacity: [0.35, 1] }, { duration: 700, easing: 'ease-out' });
        if (opened && item.dataset.symbol === opened) item.querySelector('[part~="label"]')?.focus({ preventScroll: true });
      }
      if (this.card && !this.card.hidden) this.describe(this.described);
      this.age();
      if (old?.dataset.version === made.dataset.version) return;
      this.dispatchEvent(new CustomEvent('quotes', { detail: this.board() }));
    }
    /* What is shown, for scripts of the page. */
    board() {
      const quotes = [...this.list.children].filter((item) => item.dataset.symbol).map((item) => {
        const price = item.querySelector('data');
        return { symbol: item.dataset.symbol, status: item.dataset.status, price: price ? Number(price.value) : null, display: price ? price.textContent : null };
      });
      return { version: Number(this.list.dataset.version), quotes };
    }
    /* The name, the source and the date of a number stand in `title`; by tap and keyboard they are reached here. */
    prepare(item) {
      const label = item.querySelector('abbr'), price = item.querySelector('data, li > span');
      const symbol = item.dataset.symbol;
      if (!label || !symbol) return;
      item.details = [label.title, price?.title].filter(Boolean);
      label.tabIndex = 0;
      label.setAttribute('role', 'button');
      label.setAttribute('aria-expanded', 'false');
      item.addEventListener('click', (event) => event.target.closest('a') || this.toggle(symbol));
      label.addEventListener('keydown', (event) => {
        if (event.key === 'Enter' || event.key === ' ') {
          event.preventDefault();
          this.toggle(symbol);
        }
        if (event.key === 'Escape') this.toggle(null);
      });
      label.addEventListener('blur', () => this.toggle(null));
      const link = this.getAttribute('link')?.replace('{symbol}', encodeURIComponent(symbol));
      const target = link && URL.canParse(link, document.baseURI) && new URL(link, document.baseURI);
      if (price && target && /^https?:$/.test(target.protocol)) {
        const anchor = document.createElement('a');
        anchor.href = target.href;
        anchor.setAttribute('part', 'link');
        price.replaceWith(anchor);
        anchor.append(price);
      }
    }
    toggle(symbol) {
      if (!this.card) {
        this.card = document.createElement('p');
        this.card.setAttribute('role', 'status');
        this.card.setAttribute('part', 'details');
        this.card.className = 'market-ticker-details';
        this.card.hidden = true;
        this.shadowRoot.append(this.card);
      }
      const open = symbol && (this.card.hidden || this.described !== symbol);
      this.describe(open ? symbol : null);
    }
    describe(symbol) {
      this.described = symbol;
      const item = symbol && [...this.list.children].find((one) => one.dataset.symbol === symbol);
      this.card.hidden = !item;
      for (const one of this.list.children) one.querySelector('abbr')?.setAttribute('aria-expanded', String(one === item));
      if (!item) return;
      this.card.textContent = item.details.join('. ');
      this.card.style.setProperty('--at', item.offsetLeft + 'px');
    }
    /* What nobody has confirmed for too long is marked, with how long ago it was: the page may be from a cache. */
    age() {
      if (!this.list) return;
      /* What the service has just answered is as it says; a fragment out of a page goes by the reader's clock until then. */
      const until = this.answered || this.list.querySelector('[data-status="demo"]') ? 0 : Date.parse(this.list.dataset.validUntil || '');
      const since = this.failures > 1 ? this.confirmed : until && until < Date.now() ? until : 0;
      const seconds = since ? Math.max(1, Math.floor((Date.now() - since) / 1000)) : 0;
      if (!seconds && !this.gone) return;
      this.gone = seconds > 0;
      this.list.toggleAttribute('data-lost', this.gone);
      const [size, unit] = [[86400, 'day'], [3600, 'hour'], [60, 'minute'], [1, 'second']].find(([one]) => seconds >= one) || [1, 'second'];
      const text = new Intl.RelativeTimeFormat(this.list.lang || 'en', { style: 'short' }).format(-Math.floor(seconds / size), unit);
      for (const item of this.list.querySelectorAll('li')) {
        if (!item.querySelector('data')) continue;
        let mark = item.querySelector('time');
        if (this.gone && !mark) {
          mark = document.createElement('time');
          mark.setAttribute('part', 'age');
          mark.ours = true;
          item.append(' ', mark);
        }
        if (!mark) continue;
        mark.dated ??= mark.textContent;
        if (this.gone) mark.textContent = text;
        else if (mark.ours) mark.remove();
        else mark.textContent = mark.dated;
      }
    }
    /* Politely, and seldom: a reader who listens to a page is not to be read prices every minute. */
    speak(root) {
      if (!this.voice) {
        this.voice = document.createElement('p');
        this.voice.setAttribute('role', 'status');
        this.voice.className = 'market-ticker-voice';
      }
      if (this.voice.parentNode !== root) root.append(this.voice);
      const pause = 1000 * (this.getAttribute('announce') ?? 300);
      if (!(pause > 0) || Date.now() - this.spoken < pause) return;
      this.spoken = Date.now();
      this.voice.textContent = [...this.list.children].filter((one) => one.dataset.symbol)
        .map((one) => [one.querySelector('abbr')?.title.split(',')[0], one.querySelector('data, li > span')?.textContent].join(' ')).join(', ');
    }
  }
  customElements.define('market-ticker', MarketTicker);
})();
