"""What was measured of one contender, and which were left out."""

from dataclasses import dataclass, field
from statistics import median, quantiles


@dataclass
class Measured:
    """What one contender took, in µs a call: one figure for each round."""

    name: str
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return median(self.wall)

    @property
    def cpu_median(self) -> float:
        return median(self.cpu)

    @property
    def quartiles(self) -> tuple[float, float]:
        if len(self.wall) == 1:
            return self.wall[0], self.wall[0]
        low, _, high = quantiles(self.wall, n=4, method="inclusive")
        return low, high

    def took(self, wall: float, cpu: float) -> None:
        self.wall.append(wall)
        self.cpu.append(cpu)


@dataclass
class Field:
    """All contenders of one comparison: those measured, and those left out, each with why."""

    measured: list[Measured] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)

    def find(self, name: str) -> Measured | None:
        return next((each for each in self.measured if each.name == name), None)
