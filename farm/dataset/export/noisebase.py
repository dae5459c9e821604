"""For Noisebase."""

from farm.dataset.export.item import Plan
from farm.dataset.export.source import Source


def plan(source: Source) -> Plan:
    """Nothing yet."""
    source.layer("samples.color", needed_by="noisebase")
    return Plan(())
