"""The site of ``docs/``: what its pages become there. Never in the artifact."""
