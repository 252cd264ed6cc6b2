"""The monitor: probes every regional site, judges what came back, says what is wrong."""

__version__ = "0.1.0"

PROGRAM = "model-lab-monitor"
"""What the command is called."""

COMPLETE_VARIABLE = "_MODEL_LAB_MONITOR_COMPLETE"
"""The environment variable by which a shell asks the command for completions."""
