"""Rules by route as a tool handles them: read from documents that describe an API, checked, and tried on cases."""
