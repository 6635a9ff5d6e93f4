"""Developer tools: command line, pytest fixtures, a local OpenID issuer. Never part of the deployment package."""
