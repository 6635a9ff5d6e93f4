"""Find mistakes in an issuer, in settings, or in the APIs that use the authorizer.

``issuers`` fetches an issuer's keys as the function does, and checks ``keys`` and ``tls``; ``fixes`` returns the fix of
a failed fetch. ``configured`` checks settings, ``revoked`` the revocation list, ``introspection`` the introspection
endpoint, and ``native`` whether API Gateway's own JWT authorizer would be enough. ``apis`` reads the authorizers of
deployed APIs and ``attached`` checks them against the settings.
"""

from jwt_authorizer_devkit.doctoring.findings import Finding, Level

__all__ = ["Finding", "Level"]
