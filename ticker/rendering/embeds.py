"""The code with which a page takes the ticker in, ready to be copied: one entry a way, from no script to a live one."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from ticker.rendering.html import Links

# The service's address where none is configured; the page's script puts the one it sees in its place.
NOWHERE = "https://ticker.example"


@dataclass(frozen=True, slots=True)
class Embed:
    """One way: its anchor, its name, and the code."""

    id: str
    title: str
    code: str


@dataclass(frozen=True, slots=True)
class WidgetChoice:
    """What the reader chose; no symbols means all."""

    symbols: tuple[str, ...] = ()
    lang: str = "en"
    style: str = "plain"
    theme: str = "auto"

    @property
    def query(self) -> str:
        """The query of `/widget` for this choice, with its question mark."""
        style = "" if self.style == "plain" else self.style
        given = {"symbols": ",".join(self.symbols), "lang": self.lang, "style": style}
        return "?" + urlencode({name: value for name, value in given.items() if value}, safe=",")


def embeds(choice: WidgetChoice, links: Links, known: tuple[str, ...]) -> tuple[Embed, ...]:
    """The ways for `choice`; `known` are all symbols of the board, in its order."""
    base = links.base or NOWHERE
    filled = {
        "base": base,
        "query": choice.query,
        "style": f'<link rel="stylesheet" href="{base}/widget.css">',
        "attributes": _attributes(choice),
        "framed": f"{choice.query}&theme={choice.theme}",
        "fields": "".join(_field(place, symbol) for place, symbol in enumerate(choice.symbols or known)),
    }
    return tuple(Embed(name, title, _fill(code, filled)) for name, (title, code) in _WAYS.items())


def _attributes(choice: WidgetChoice) -> str:
    given = {"symbols": ",".join(choice.symbols), "lang": choice.lang, "variant": choice.style}
    return "".join(f' {name}="{value}"' for name, value in given.items() if value and value != "plain")


def _field(place: int, symbol: str) -> str:
    return f"\n        - field: quotes.{place}.display.price\n          label: {symbol}"


def _fill(code: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        code = code.replace("{" + name + "}", value)
    return code


_WAYS = {
    "element": (
        "Custom element",
        """{style}
<script src="{base}/widget.js" async></script>

<market-ticker{attributes}></market-ticker>
""",
    ),
    "ssi": (
        "nginx SSI",
        """# nginx.conf; config/nginx/ has it whole, with a cache that outlives the service
location = /_ticker {
    internal;
    proxy_pass {base}/widget{query};
    proxy_ssl_server_name on;
    proxy_set_header Accept-Encoding "";
    proxy_connect_timeout 200ms;
    proxy_read_timeout 500ms;
}
location / { ssi on; }

<!-- the page: the stub must stand before the include -->
{style}
<!--# block name="ticker" --><p class="market-ticker">—</p><!--# endblock -->
<!--# include virtual="/_ticker" stub="ticker" -->
""",
    ),
    "esi": (
        "ESI (Varnish)",
        """# VCL
sub vcl_backend_response { if (beresp.http.Content-Type ~ "html") { set beresp.do_esi = true; } }

<!-- the page; Varnish asks its own backend for /widget -->
{style}
<esi:include src="/widget{query}" onerror="continue"/>
""",
    ),
    "htmx": (
        "htmx",
        """{style}
<meta name="htmx-config" content='{"selfRequestsOnly": false}'>
<div hx-get="{base}/widget{query}" hx-trigger="load, every 60s"></div>
""",
    ),
    "iframe": (
        "iframe",
        """<iframe src="{base}/frame{framed}" title="Market ticker" width="100%" height="64" loading="lazy"></iframe>
""",
    ),
    "wordpress": (
        "WordPress shortcode",
        """<?php // functions.php; in a page or a template: [market_ticker]
add_shortcode('market_ticker', function () {
    $last = get_option('market_ticker', '');
    if (false !== get_transient('market_ticker')) return $last;
    set_transient('market_ticker', 1, MINUTE_IN_SECONDS);
    $answer = wp_remote_get('{base}/widget{query}', ['timeout' => 1]);
    if (200 !== wp_remote_retrieve_response_code($answer)) return $last;
    $last = wp_remote_retrieve_body($answer);
    update_option('market_ticker', $last, false);
    return $last;
});
add_action('wp_enqueue_scripts', fn () => wp_enqueue_style('market-ticker', '{base}/widget.css'));
""",
    ),
    "glance": (
        "Glance",
        """- type: extension
  url: {base}/widget{query}
  allow-potentially-dangerous-html: true
  cache: 1m
""",
    ),
    "homepage": (
        "Homepage",
        """- Market:
    widget:
      type: customapi
      url: {base}/v1/quotes{query}
      refreshInterval: 60000
      mappings:{fields}
""",
    ),
    "json": (
        "JSON",
        """curl "{base}/v1/quotes{query}"
curl -N "{base}/v1/stream{query}"
""",
    ),
}
