"""Upstream: what the vendor publishes about the endpoint, read and compared with our contract."""
