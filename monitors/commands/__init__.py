"""The commands, one module each with its `command`; what they share stands in `options`, `output` and `progress`."""
