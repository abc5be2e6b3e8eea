/** What is shown, as the event `quotes` tells it. `price` is null where no number is known. */
export interface MarketTickerQuote {
  symbol: string;
  status: "fresh" | "stale" | "unavailable";
  price: number | null;
  display: string | null;
}

export interface MarketTickerBoard {
  version: number;
  quotes: MarketTickerQuote[];
}

/** Keeps the fragment of a market ticker service up to date. From a package it needs `src`, the service's address. */
export interface MarketTickerElement extends HTMLElement {
  /** What is shown now. */
  board(): MarketTickerBoard;
  /** Ask the service now. */
  refresh(): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "market-ticker": MarketTickerElement;
  }
  interface HTMLElementEventMap {
    quotes: CustomEvent<MarketTickerBoard>;
  }
}
