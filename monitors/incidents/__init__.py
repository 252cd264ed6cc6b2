"""Incidents: findings that last. Pure decisions: what was seen goes in, incidents and notices come out."""
