"""From drift to a reviewed contract: what is accepted, what the contract should say, and what it said when."""
