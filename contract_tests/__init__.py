"""The contract tests: `pytest contract_tests` runs them against the mock or against real sites."""
