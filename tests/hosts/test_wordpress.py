"""The plugin config/wordpress/market-ticker in Debian's WordPress, over a MariaDB of the test's own."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from tests.nginx.server import free_port, listens
from tests.support.programs import needs
from tests.support.project_files import ROOT
from tests.support.served_board import live

# It drives programs of Debian's for real.
pytestmark = pytest.mark.programs

WORDPRESS = Path("/usr/share/wordpress")
PLUGIN = ROOT / "config" / "wordpress" / "market-ticker"
CONFIGURATION = """<?php
define('DB_NAME', 'wordpress'); define('DB_USER', 'root'); define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:{socket}'); define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
define('WP_DEFAULT_THEME', 'plain');
define('WP_HTTP_BLOCK_EXTERNAL', true); define('WP_ACCESSIBLE_HOSTS', '127.0.0.1'); define('DISABLE_WP_CRON', true);
define('AUTOMATIC_UPDATER_DISABLED', true);
$table_prefix = 'wp_';
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
"""
INSTALL = """<?php
define('WP_INSTALLING', true); $_SERVER['HTTP_HOST'] = '127.0.0.1:{port}';
require '{at}/wp-load.php'; require ABSPATH . 'wp-admin/includes/upgrade.php';
function wp_new_blog_notification($a, $b, $c, $d) {{}}
wp_install('News', 'editor', 'editor@example.org', true, '', 'secret-of-a-test');
update_option('siteurl', 'http://127.0.0.1:{port}'); update_option('home', 'http://127.0.0.1:{port}');
"""
ACTIVATE = """<?php
$_SERVER['HTTP_HOST'] = '127.0.0.1:{port}';
require '{at}/wp-load.php'; require_once ABSPATH . 'wp-admin/includes/plugin.php';
$wrong = activate_plugin('market-ticker/market-ticker.php');
if (is_wp_error($wrong)) {{ fwrite(STDERR, $wrong->get_error_message()); exit(1); }}
update_option('market_ticker', ['url' => '{ticker}', 'symbols' => '', 'style' => 'plain', 'live' => {live}]);
echo wp_insert_post(['post_type' => 'page', 'post_status' => 'publish', 'post_title' => 'p',
                     'post_content' => '{content}']);
"""
# Debian's package brings no theme.
THEME = """<!doctype html><head><?php wp_head(); ?></head><body>
<?php while (have_posts()) { the_post(); the_content(); } wp_footer(); ?></body>
"""


@dataclass(frozen=True, slots=True)
class Site:
    """A WordPress that is installed, at `at`, to be served on `port`."""

    at: Path
    port: int

    def php(self, script: str, **values: object) -> str:
        """Run `script`, with what is in braces filled in."""
        file = self.at / "script.php"
        file.write_text(script.format(at=self.at, port=self.port, **values))
        done = subprocess.run((needs("php"), str(file)), capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """PHP's own server, with workers enough for a page that waits."""
        environment = {**os.environ, "PHP_CLI_SERVER_WORKERS": "4"}
        command = (needs("php"), "-d", "display_errors=0", "-S", f"127.0.0.1:{self.port}", "-t", str(self.at))
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, stderr=asyncio.subprocess.DEVNULL, start_new_session=True
        )
        try:
            await listens(self.port)
            yield f"http://127.0.0.1:{self.port}/"
        finally:
            os.killpg(process.pid, 15)
            await process.wait()


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The socket of a MariaDB with an empty database `wordpress`."""
    folder = tmp_path_factory.mktemp("db")
    socket = folder / "s"
    data = folder / "data"
    subprocess.run(
        (needs("mariadb-install-db"), f"--datadir={data}", "--auth-root-authentication-method=normal", "--user=root"),
        check=True,
        capture_output=True,
    )
    command = (needs("mariadbd"), f"--datadir={data}", f"--socket={socket}", "--skip-networking", "--user=root")
    small = ("--innodb-buffer-pool-size=16M", "--innodb-flush-log-at-trx-commit=0", f"--pid-file={folder}/pid")
    with subprocess.Popen((*command, *small), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait = (
            needs("mariadb-admin"),
            f"--socket={socket}",
            "--wait=30",
            "--connect-timeout=30",
            "create",
            "wordpress",
        )
        subprocess.run(wait, check=True, capture_output=True, timeout=60)
        yield socket
        process.terminate()


@pytest.fixture(scope="module")
def site(database: Path, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """WordPress, installed, with the plugin in its folder."""
    needs(str(WORDPRESS / "wp-load.php"))
    at = tmp_path_factory.mktemp("wp") / "wordpress"
    shutil.copytree(WORDPRESS, at, symlinks=False, ignore=shutil.ignore_patterns("wp-config.php", "languages"))
    (at / "wp-config.php").write_text(CONFIGURATION.format(socket=database))
    shutil.copytree(PLUGIN, at / "wp-content" / "plugins" / "market-ticker")
    theme = at / "wp-content" / "themes" / "plain"
    theme.mkdir(parents=True)
    (theme / "style.css").write_text("/* Theme Name: plain */")
    (theme / "index.php").write_text(THEME)
    made = Site(at, free_port())
    made.php(INSTALL)
    return made


async def page(url: str) -> str:
    """The page's text."""
    async with aiohttp.ClientSession() as session, session.get(url) as got:
        return await got.text()


@pytest.mark.parametrize(
    "content",
    [
        '[market_ticker lang="en"]',
        '<!-- wp:market-ticker/ticker {{"lang":"en","symbols":"USD"}} /-->',
    ],
    ids=["shortcode", "block"],
)
async def test_shortcode_and_block_show_the_fragment(site: Site, content: str) -> None:
    """As the service gives it, with its style."""
    async with live() as served, site.serving() as url:
        number = await asyncio.to_thread(site.php, ACTIVATE, ticker=served.url, live="false", content=content.format())
        text = await page(f"{url}?page_id={number}")
        assert '<data value="100.6798" title="Bank of Russia, Nov 22, 2024">100.68</data>' in text
        assert f"{served.url}/widget.css" in text
        assert "widget.js" not in text


async def test_with_live_the_element_keeps_the_page_current(site: Site) -> None:
    """For sites whose page cache keeps whole pages."""
    async with live() as served, site.serving() as url:
        number = await asyncio.to_thread(
            site.php, ACTIVATE, ticker=served.url, live="true", content='[market_ticker symbols="OIL"]'
        )
        text = await page(f"{url}?page_id={number}")
        assert f'<market-ticker src="{served.url}" symbols="OIL">' in text
        assert f"{served.url}/widget.js" in text


async def test_a_dead_service_shows_a_dash_and_costs_one_page_a_second(site: Site) -> None:
    """Nothing kept and nobody there: a dash, at once for everybody but the one who asked."""
    port = free_port()
    async with site.serving() as url:
        number = await asyncio.to_thread(
            site.php, ACTIVATE, ticker=f"http://127.0.0.1:{port}", live="false", content="[market_ticker]"
        )
        for _ in range(2):
            text = await page(f"{url}?page_id={number}")
            assert '<p class="market-ticker">—</p>' in text


async def test_what_is_no_fragment_is_never_shown(site: Site) -> None:
    """Markup of anybody else's is left out, and an answer that is no fragment is none."""
    hostile = (
        b'<ul class="market-ticker" lang="en" data-version="1"><li data-symbol="USD"><script>x()</script>'
        b'<data value="1" onclick="x()">1.00</data><img src=x onerror=x()></li></ul>'
    )
    bodies = [hostile, b"<h1>Somebody else's page</h1>"]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        body = bodies[b"symbols=EUR" in head]
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    ticker = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, site.serving() as url:
        number = await asyncio.to_thread(
            site.php, ACTIVATE, ticker=ticker, live="false", content="[market_ticker] [market_ticker symbols=EUR]"
        )
        text = await page(f"{url}?page_id={number}")
        assert '<data value="1">1.00</data>' in text
        assert "onerror" not in text
        assert "x()</script>" not in text
        assert "Somebody" not in text
