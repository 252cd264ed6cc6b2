"""The monitor: probes every regional site, judges what came back, says what is wrong."""

__version__ = "0.1.0"
