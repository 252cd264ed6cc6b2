"""The regional sites on loopback: a faithful endpoint, its faults and its drifts."""
