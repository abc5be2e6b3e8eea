# A site whose pages take the ticker in by ESI. Include it behind the site's own VCL, or copy the subs into it.
#
#     <link rel="stylesheet" href="https://ticker.example/widget.css">
#     <esi:include src="/_ticker?lang=en" onerror="continue"/>
#
# Whatever is not the fragment becomes the stub: an error page of a service that is away never stands in the header.
# A kept fragment is served while a newer one is fetched (grace), no longer than the service allows: the fragment's
# Cache-Control carries stale-while-revalidate and stale-if-error, and neither reaches beyond the number's validity.
vcl 4.1;

import std;

backend ticker {
    .host = "127.0.0.1";
    .port = "8080";
    .connect_timeout = 0.2s;
    .first_byte_timeout = 0.5s;
    .between_bytes_timeout = 0.5s;
    .max_connections = 20;
}

sub vcl_recv {
    if (req.url ~ "^/_ticker(\?|$)") {
        # Only for includes: a reader who asks for it gets the site's own 404.
        if (req.esi_level == 0) {
            return (synth(404));
        }
        set req.backend_hint = ticker;
        set req.url = regsub(req.url, "^/_ticker", "/widget");
        set req.http.X-Ticker = "1";
        set req.http.Accept = "text/html";
        # Of the reader's own request nothing goes on.
        unset req.http.Cookie;
        unset req.http.Authorization;
        unset req.http.Accept-Language;
        unset req.http.Referer;
        return (hash);
    }
    unset req.http.X-Ticker;
}

sub vcl_backend_fetch {
    if (bereq.http.X-Ticker) {
        unset bereq.http.Range;
        unset bereq.http.X-Forwarded-For;
    }
}

sub vcl_backend_response {
    if (bereq.http.X-Ticker) {
        if (beresp.status != 200 || beresp.http.Content-Type !~ "^text/html") {
            # Ends in vcl_backend_error below, or in the kept fragment while its grace lasts.
            return (error(503));
        }
        unset beresp.http.Set-Cookie;
        # As long as the fragment may be shown after its time while nobody answers.
        set beresp.grace = std.duration(regsub(beresp.http.Cache-Control, ".*stale-if-error=([0-9]+).*", "\1") + "s", 30s);
        return (deliver);
    }
    if (beresp.http.Content-Type ~ "html") {
        set beresp.do_esi = true;
    }
}

sub vcl_backend_error {
    if (bereq.http.X-Ticker) {
        set beresp.status = 200;
        set beresp.http.Content-Type = "text/html; charset=utf-8";
        set beresp.body = {"<p class="market-ticker">—</p>"};
        # One page a second asks again.
        set beresp.ttl = 1s;
        set beresp.grace = 0s;
        return (deliver);
    }
}
