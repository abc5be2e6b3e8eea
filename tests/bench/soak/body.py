"""What a process takes of the machine, as Linux tells."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import linear_regression, median

TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Body:
    """What a process takes, as Linux tells, looked at again and again: real seconds, MB, descriptors, threads."""

    pid: int
    samples: list[tuple[float, float, int, int]] = field(default_factory=list)

    def look(self) -> None:
        """One more sample."""
        status = dict(line.split(":", 1) for line in Path(f"/proc/{self.pid}/status").read_text().splitlines())
        megabytes = int(status["VmRSS"].split()[0]) / 1024
        descriptors = len(os.listdir(f"/proc/{self.pid}/fd"))  # noqa: PTH208 - numbers are wanted, not paths
        self.samples.append((time.monotonic(), megabytes, descriptors, int(status["Threads"])))

    @property
    def settled(self) -> list[tuple[float, float, int, int]]:
        """The samples of the second half: in the first the caches fill, SQLite's for a week of the service's clock."""
        return self.samples[len(self.samples) // 2 :]

    @property
    def slope(self) -> float:
        """MB an hour of the machine's clock."""
        at, megabytes, *_ = zip(*self.settled, strict=True)
        return linear_regression(at, megabytes).slope * 3600

    @property
    def more(self) -> float:
        """MB more in the last quarter of the run than in the one before."""
        settled = [sample[1] for sample in self.settled]
        return median(settled[len(settled) // 2 :]) - median(settled[: len(settled) // 2])

    def grown(self, column: int) -> int:
        """How much more at least in the last quarter than in the one before: what comes and goes is no growth."""
        settled = [int(sample[column]) for sample in self.settled]
        return min(settled[len(settled) // 2 :]) - min(settled[: len(settled) // 2])

    def seconds(self) -> float:
        """Of processor time."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK
