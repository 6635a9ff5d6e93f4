"""A Lambda authorizer for API Gateway that accepts the JWTs of any OpenID Connect issuer.

Start reading at :mod:`jwt_authorizer.authorize`.
"""

__version__ = "0.1.0"

NAMESPACE = "JwtAuthorizer"
"""CloudWatch's namespace for every metric."""
