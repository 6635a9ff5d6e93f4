"""What is wrong, or soon will be, with an issuer, with settings, or with the APIs that ask the authorizer.

``issuers`` asks an issuer as the function does, and looks at ``keys`` and ``tls``; ``fixes`` has the line that fixes a
failed fetch. ``configured`` looks at settings, ``revoked`` at the revocation list, and ``native`` at whether a function
is needed at all. ``apis`` reads the authorizers of deployed APIs and ``attached`` checks them against the settings.
"""

from jwt_authorizer_devkit.doctoring.findings import Finding, Level

__all__ = ["Finding", "Level"]
