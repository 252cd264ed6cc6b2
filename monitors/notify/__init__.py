"""Notices in words and on their way: messages, the sinks that take them, and the courier that never loses one."""
