# The service as an image: docker build -t market-ticker . && docker run --read-only --publish 8080:8080 market-ticker
# Nothing is written but the store, in the volume /var/lib/ticker. A configuration mounted as
# /etc/ticker/config/ticker.toml takes the place of the shipped one; TICKER_… variables go over both.
# Behind a proxy that signs with a CA of its own: docker build --secret id=ca,src=ca.pem … The file holds every CA that is
# to be trusted; it is not in the image. Another base with Python 3.11 or newer, pip and CAs: --build-arg BASE=…
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
ARG UV=0.13.9
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never PIP_BREAK_SYSTEM_PACKAGES=1
RUN --mount=type=secret,id=ca \
    if [ -e /run/secrets/ca ]; then export PIP_CERT=/run/secrets/ca; fi \
 && pip install --no-cache-dir "uv==${UV}" && uv venv /opt/ticker
ENV VIRTUAL_ENV=/opt/ticker
WORKDIR /src
# First what changes seldom: a change of the code does not install the libraries again.
COPY requirements.txt ./
RUN --mount=type=secret,id=ca \
    if [ -e /run/secrets/ca ]; then export SSL_CERT_FILE=/run/secrets/ca; fi \
 && uv pip install --require-hashes --requirement requirements.txt
COPY . ./
RUN --mount=type=secret,id=ca \
    if [ -e /run/secrets/ca ]; then export SSL_CERT_FILE=/run/secrets/ca; fi \
 && uv pip install --no-deps .

FROM ${BASE}
ARG VERSION=0.2.0
# A release adds the revision and the repository that it is from.
LABEL org.opencontainers.image.title="market-ticker" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.description="A market ticker for the header of a page" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.authors="The market ticker contributors"
# By number, so that a cluster which refuses root can see that this is not root.
RUN groupadd --gid 10001 ticker \
 && useradd --uid 10001 --gid ticker --no-create-home --home-dir /var/lib/ticker --shell /usr/sbin/nologin ticker \
 && install --directory --owner=ticker --group=ticker /var/lib/ticker /etc/ticker
COPY --from=build /opt/ticker /opt/ticker
ENV PATH=/opt/ticker/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TICKER_SERVER__HOST=0.0.0.0 \
    TICKER_STORE__URL=sqlite:////var/lib/ticker/ticker.db
USER 10001:10001
WORKDIR /etc/ticker
VOLUME /var/lib/ticker
EXPOSE 8080
STOPSIGNAL SIGTERM
# Past any proxy that the container is told to use.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as r; r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["ticker"]
CMD ["serve"]
