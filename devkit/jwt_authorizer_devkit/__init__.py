"""Tools for people at a desk: a local OpenID issuer and token minting. Never part of the artifact."""
