"""Lineage: what was read and done, written down while it happens and sealed into a Provenance."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from unflat import __version__
from unflat.types.forecast import Finding
from unflat.types.provenance import Likeness, Provenance, Source, Step


@dataclass(slots=True)
class Lineage:
    """The notebook of one run. The only mutable record of the house; :meth:`seal` ends it."""

    sources: list[Source] = field(default_factory=list[Source])
    steps: list[Step] = field(default_factory=list[Step])
    warnings: list[str] = field(default_factory=list[str])
    findings: list[Finding] = field(default_factory=list[Finding])
    invented: bool = False
    likeness: Likeness | None = None
    leave: str | None = None
    converter: str | None = None
    subject: str | None = None

    @staticmethod
    def begin(source: Source) -> Lineage:
        """Open the notebook with the first thing that was read."""
        return Lineage(sources=[source])

    def read(self, source: Source) -> None:
        """Note one more source."""
        self.sources.append(source)

    def did(self, name: str, *, model: str | None = None, licence: str | None = None, **options: Any) -> None:
        """Note one step with the options that shaped its result."""
        self.steps.append(Step(name, model, licence, tuple(sorted(options.items()))))

    def foresaw(self, findings: Iterable[Finding]) -> None:
        """Note what will go wrong."""
        self.findings.extend(findings)

    def warn(self, message: str) -> None:
        """Note something the user should know; said once even if noted twice."""
        if message not in self.warnings:
            self.warnings.append(message)

    def seal(self) -> Provenance:
        """Close the notebook."""
        return Provenance(
            tuple(self.sources),
            tuple(self.steps),
            __version__,
            self.invented,
            tuple(self.warnings),
            created_now(),
            self.likeness,
            self.leave,
            converter=self.converter,
            subject=self.subject,
        )


def created_now() -> str:
    """ISO 8601 UTC time to the second; SOURCE_DATE_EPOCH (reproducible-builds.org) overrides the clock."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    moment = datetime.fromtimestamp(int(epoch), UTC) if epoch.isdigit() else datetime.now(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
