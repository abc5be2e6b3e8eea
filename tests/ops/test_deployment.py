"""The files an installation starts from, by the tools that read them."""

import os
import re
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.support.programs import needs
from tests.support.project_files import ROOT
from tests.support.redis_servers import free_port
from ticker.settings.loader import load

CONFIG = ROOT / "config"
TICKER = "/opt/ticker/bin/ticker"
UNITS = sorted((CONFIG / "systemd").glob("*.service"))
KUBERNETES = CONFIG / "kubernetes"
OBJECTS: list[dict[str, Any]] = [
    each
    for path in sorted((KUBERNETES / "base").glob("*.yaml"))
    for each in yaml.safe_load_all(path.read_text())
    if each["kind"] != "Kustomization"
]
# Of the Prometheus operator, whose schemas the validator does not have.
OPERATOR = "monitoring.coreos.com/v1"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((CONFIG / "compose" / "compose.yaml").read_text())["services"]


def the(kind: str, name: str = "ticker") -> dict[str, Any]:
    """The one object of `kind` and `name`."""
    (found,) = [each for each in OBJECTS if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


def pod(kind: str, name: str = "ticker") -> dict[str, Any]:
    """The pod that it makes."""
    found: dict[str, Any] = the(kind, name)["spec"]["template"]["spec"]
    return found


@pytest.mark.parametrize("each", OBJECTS, ids=lambda each: f"{each['kind']} {each['metadata']['name']}")
def test_an_object_is_one_that_kubernetes_knows(each: dict[str, Any]) -> None:
    """Against the schema of its own version, nothing unknown in it."""
    kubernetes_validate.validate(each, kubernetes_validate.latest_version(), strict=True)


@pytest.mark.programs
@pytest.mark.parametrize(
    ("folder", "more"),
    [
        ("base", set[str]()),
        ("overlays/monitored", {"PodMonitor", "PrometheusRule"}),
        ("overlays/public", {"PodMonitor", "PrometheusRule", "Ingress"}),
    ],
    ids=["base", "monitored", "public"],
)
def test_kustomize_makes_of_each_folder_what_it_says(folder: str, more: set[str]) -> None:
    """Nothing of the base is lost, what an overlay adds is there, and all of it is known to Kubernetes."""
    done = subprocess.run(
        (needs("kubectl"), "kustomize", str(KUBERNETES / folder)), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    made = list(yaml.safe_load_all(done.stdout))
    assert {each["kind"] for each in made} == {each["kind"] for each in OBJECTS} | more
    assert len(made) == len(OBJECTS) + len(more)
    for each in made:
        if each["apiVersion"] != OPERATOR:
            kubernetes_validate.validate(each, kubernetes_validate.latest_version(), strict=True)


def test_the_operator_gets_the_rules_of_prometheus() -> None:
    """The same groups to the letter; copy them after a change: `spec` is rules.yml from `groups:` on, two spaces in."""
    rule = yaml.safe_load((KUBERNETES / "overlays/monitored/rules.yaml").read_text())
    assert (rule["apiVersion"], rule["kind"]) == (OPERATOR, "PrometheusRule")
    assert rule["spec"] == yaml.safe_load((CONFIG / "prometheus" / "rules.yml").read_text())


def test_the_monitor_finds_the_pods_and_their_port() -> None:
    """By the labels and the port's name that the pods have."""
    monitor = yaml.safe_load((KUBERNETES / "overlays/monitored/podmonitor.yaml").read_text())
    assert (monitor["apiVersion"], monitor["kind"]) == (OPERATOR, "PodMonitor")
    assert monitor["spec"]["selector"]["matchLabels"] == the("Deployment")["spec"]["template"]["metadata"]["labels"]
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert endpoint["port"] in {port["name"] for port in pod("Deployment")["containers"][0]["ports"]}


def test_the_ingress_leads_to_the_service(tmp_path: Path) -> None:
    """Its service and port are there, and the address in links is its host."""
    ingress = yaml.safe_load((KUBERNETES / "overlays/public/ingress.yaml").read_text())
    (rule,) = ingress["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    service = the("Service")
    assert path["backend"]["service"]["name"] == service["metadata"]["name"]
    assert path["backend"]["service"]["port"]["name"] in {port["name"] for port in service["spec"]["ports"]}
    assert ingress["spec"]["tls"][0]["hosts"] == [rule["host"]]
    file = tmp_path / "ticker.toml"
    patch = yaml.safe_load((KUBERNETES / "overlays/public/configmap.yaml").read_text())
    file.write_text(patch["data"]["ticker.toml"])
    server = load(file, {}, {}).settings.server
    assert server.public_url == f"https://{rule['host']}"
    assert server.metrics_port == 9100


def test_a_pod_with_a_gap_stays_in_service() -> None:
    """It is asked /readyz, which is 200 while there is a snapshot; what is missing is for the alert."""
    (container,) = pod("Deployment")["containers"]
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}


def test_there_is_an_object_of_every_kind_that_a_service_needs() -> None:
    """Configuration, pods, address, replicas, disruption, network."""
    kinds = {each["kind"] for each in OBJECTS if each["metadata"]["name"] == "ticker"}
    wanted = {"ConfigMap", "Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy"}
    assert kinds == wanted


@pytest.mark.parametrize(("made", "user"), [(pod("Deployment"), 10001), (pod("StatefulSet", "redis"), 999)])
def test_a_pod_passes_the_restricted_security_standard(made: dict[str, Any], user: int) -> None:
    """Not root, no capability, no writable root, no way up (kubernetes.io, Pod Security Standards, restricted)."""
    (container,) = made["containers"]
    assert made["securityContext"]["runAsNonRoot"]
    assert made["securityContext"]["runAsUser"] == user
    assert made["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not made["automountServiceAccountToken"]


def test_the_replicas_share_the_redis_that_is_there() -> None:
    """Its address is one the service takes, its service and its port are there, and the network lets the two meet."""
    (container,) = pod("Deployment")["containers"]
    environment = {each["name"]: each["value"] for each in container["env"]}
    url = load(None, environment, {}).settings.store.url
    redis = the("Service", "redis")
    assert url == f"redis://{redis['metadata']['name']}:{redis['spec']['ports'][0]['port']}/0"
    labels = the("StatefulSet", "redis")["spec"]["template"]["metadata"]["labels"]
    assert redis["spec"]["selector"] == labels
    (way,) = the("NetworkPolicy", "redis")["spec"]["ingress"]
    assert way["from"][0]["podSelector"]["matchLabels"] == the("Deployment")["spec"]["template"]["metadata"]["labels"]
    out = the("NetworkPolicy")["spec"]["egress"]
    assert {"podSelector": {"matchLabels": labels}} in [to for each in out for to in each["to"]]


def test_kubernetes_own_variables_are_kept_from_the_service() -> None:
    """A Service named ticker would bring TICKER_PORT into the environment, which no setting is named."""
    assert pod("Deployment")["enableServiceLinks"] is False


def test_the_mounted_configuration_is_one_the_service_takes(tmp_path: Path) -> None:
    """What the ConfigMap holds starts; its ports are those of the container, the grace longer than the drain."""
    file = tmp_path / "ticker.toml"
    file.write_text(the("ConfigMap")["data"]["ticker.toml"])
    server = load(file, {}, {}).settings.server
    made = pod("Deployment")
    ports = {port["name"]: port["containerPort"] for port in made["containers"][0]["ports"]}
    assert ports == {"http": server.port, "metrics": server.metrics_port}
    assert made["terminationGracePeriodSeconds"] > server.drain.total_seconds() + 10


@pytest.mark.programs
def test_compose_can_read_its_file() -> None:
    """Every service, network and volume it names is there."""
    command = (needs("docker-compose"), "-f", str(CONFIG / "compose" / "compose.yaml"), "config", "-q")
    environment = {**os.environ, "GRAFANA_PASSWORD": "of the test"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_compose_mounts_what_there_is() -> None:
    """A bind of a path that does not exist would make an empty folder of it."""
    bound = [volume.split(":")[0] for each in SERVICES.values() for volume in each.get("volumes", ())]
    assert [path for path in bound if path.startswith(".") and not (CONFIG / "compose" / path).exists()] == []


def test_compose_and_prometheus_agree_on_the_metrics_port() -> None:
    """What is scraped is where the service puts its metrics, and readers get to nginx only."""
    (target,) = yaml.safe_load((CONFIG / "prometheus" / "prometheus.yml").read_text())["scrape_configs"][0][
        "static_configs"
    ][0]["targets"]
    assert target == f"ticker:{SERVICES['ticker']['environment']['TICKER_SERVER__METRICS_PORT']}"
    published = {name: each["ports"] for name, each in SERVICES.items() if "ports" in each}
    assert published == {"ticker": ["8080:80"], "grafana": ["127.0.0.1:3000:3000"]}
    assert SERVICES["nginx"]["network_mode"] == "service:ticker"


def test_the_environment_in_compose_is_one_the_service_takes() -> None:
    """No variable of it is misspelt."""
    environment = {name: str(value) for name, value in SERVICES["ticker"]["environment"].items()}
    assert environment["TICKER_STORE__URL"].startswith("${TICKER_STORE__URL:-sqlite:///")
    load(None, {**environment, "TICKER_STORE__URL": "redis://redis:6379/0"}, {})


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_can_do_no_more_than_it_must(name: str) -> None:
    """Every service, not ours alone: no capability but those that are named, nothing writable, no way up, bounded."""
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service.get("cap_add", []) == (["CHOWN", "SETGID", "SETUID", "NET_BIND_SERVICE"] if name == "nginx" else [])
    assert service["read_only"] is True
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["pids_limit"] <= 256
    assert "privileged" not in service


def test_redis_is_reached_by_the_service_alone() -> None:
    """On a network that leads nowhere else."""
    networks = yaml.safe_load((CONFIG / "compose" / "compose.yaml").read_text())["networks"]
    assert networks["back"] == {"internal": True}
    assert SERVICES["redis"]["networks"] == ["back"]
    assert [name for name, each in SERVICES.items() if "back" in each.get("networks", ())] == ["ticker", "redis"]
    assert "ports" not in SERVICES["redis"]


@pytest.mark.programs
def test_redis_answers_nobody_without_the_password(tmp_path: Path) -> None:
    """By the very command of the file; without a password to set it does not start."""
    _, _, script = SERVICES["redis"]["command"]
    port = free_port()
    ours = script.replace("$$", "$").replace("dir /data", f"dir {tmp_path}\nport {port}\nbind 127.0.0.1")
    environment = {"PATH": os.environ["PATH"], "REDIS_PASSWORD": ""}
    needs("redis-server")
    refused = subprocess.run(
        ("sh", "-c", ours), env=environment, capture_output=True, text=True, check=False, timeout=20
    )
    assert refused.returncode != 0
    assert "set REDIS_PASSWORD" in refused.stderr
    with subprocess.Popen(
        ("sh", "-c", ours), env={**environment, "REDIS_PASSWORD": "s3cret word"}, stdout=subprocess.DEVNULL
    ) as server:
        try:
            assert asked_of_redis(port, "PING").startswith("-NOAUTH")
            assert asked_of_redis(port, 'AUTH "s3cret word"') == "+OK\r\n"
        finally:
            server.terminate()
        # The signal that ends a container is Redis' own, which then writes what it holds.
        assert server.wait(20) == 0


def asked_of_redis(port: int, line: str) -> str:
    """What a Redis answers to a line, once it listens."""
    latest = time.monotonic() + 20
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as wire:
                wire.sendall(f"{line}\r\n".encode())
                return wire.recv(1024).decode()
        except ConnectionRefusedError:
            assert time.monotonic() < latest
            time.sleep(0.05)


@pytest.mark.parametrize("file", UNITS, ids=lambda file: file.stem)
def test_a_unit_may_call_the_system_only_as_services_do(file: Path) -> None:
    """By systemd's own list of what a service needs, less what changes the machine; and in bounded memory."""
    lines = file.read_text().splitlines()
    filters = [line.partition("=")[2] for line in lines if line.startswith("SystemCallFilter=")]
    assert filters == ["@system-service", "~@privileged @resources"]
    assert "SystemCallArchitectures=native" in lines
    assert "MemoryMax=512M" in lines


@pytest.mark.programs
@pytest.mark.parametrize("file", UNITS, ids=lambda file: file.stem)
def test_systemd_takes_the_unit(tmp_path: Path, file: Path) -> None:
    """Nothing in it is unknown or out of place."""
    unit = tmp_path / file.name
    unit.write_text(file.read_text().replace("/opt/ticker/bin/ticker", sys.executable))
    done = subprocess.run((needs("systemd-analyze"), "verify", str(unit)), capture_output=True, text=True, check=False)
    assert (done.returncode, [line for line in done.stderr.splitlines() if file.name in line]) == (0, [])


@pytest.mark.programs
@pytest.mark.parametrize("file", UNITS, ids=lambda file: file.stem)
def test_the_unit_is_exposed_to_little(file: Path) -> None:
    """The measure that systemd itself takes of what a service could do to its host, 0 to 10."""
    command = (needs("systemd-analyze"), "security", "--offline=yes", "--no-pager", str(file))
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = re.search(rf"Overall exposure level for {file.stem}i?.service: ([\d.]+)", said)
    assert found, said
    assert float(found[1]) <= 2.0


def test_the_template_unit_differs_from_the_plain_one_only_where_it_has_to() -> None:
    """Its processes share a port, a user and a store; metrics are at a port for each."""
    plain, template = (
        (CONFIG / "systemd" / name).read_text().partition("[Unit]")[2].splitlines()
        for name in ("ticker.service", "ticker@.service")
    )
    assert [line for line in plain if line not in template] == [
        "Description=Market ticker",
        f"ExecStart={TICKER} serve --log-format journald --config /etc/ticker/config/ticker.toml",
    ]
    assert [line for line in template if line not in plain and not line.startswith("#")] == [
        "Description=Market ticker, process %i",
        f"ExecStart={TICKER} serve --reuse-port --log-format journald --config /etc/ticker/config/ticker.toml",
        "User=ticker",
        "Environment=TICKER_SERVER__METRICS_PORT=910%i",
    ]


@pytest.mark.parametrize("file", [each for each in UNITS if "reload" in each.read_text()], ids=lambda file: file.stem)
def test_a_reload_asks_whether_the_file_is_good_before_the_service_hears_of_it(file: Path) -> None:
    """The same file that the service reads; systemd sends no signal where the first command fails."""
    lines = file.read_text().splitlines()
    (start,) = (line for line in lines if line.startswith("ExecStart="))
    check, signal = (line for line in lines if line.startswith("ExecReload="))
    assert check.partition(" check --quiet ")[2] == f"--config {start.partition('--config ')[2]}"
    assert signal == "ExecReload=/bin/kill -HUP $MAINPID"


def test_the_image_and_the_pod_run_as_the_same_user() -> None:
    """The volume that one has written the other can read."""
    user = pod("Deployment")["securityContext"]["runAsUser"]
    assert f"USER {user}:{user}" in (ROOT / "Dockerfile").read_text()
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert pod("Deployment")["containers"][0]["image"] == f"market-ticker:{version}"
