"""The contract as data: an OpenAPI 3.1 document and JSON Schema 2020-12 files, one REGISTRY."""
