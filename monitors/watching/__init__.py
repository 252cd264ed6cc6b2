"""The scheduled monitor: what is due, how the monitor itself is, what comes of it, again and again."""
