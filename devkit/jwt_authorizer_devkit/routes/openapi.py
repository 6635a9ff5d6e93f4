"""Read routes and scopes from an OpenAPI document (3.x; 2.0 too, which some templates contain).

OpenAPI 3.1 section 4.8.30 (security requirements): a list of alternatives. Each lists schemes that are needed together,
with the scopes of each. ``security: []`` removes the requirement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jwt_authorizer.rules.model import ANY_METHOD, DEFAULT, HTTP_METHODS
from jwt_authorizer_devkit.routes.documents import function_of, mapping
from jwt_authorizer_devkit.routes.listed import Listing, Need, combine, name

if TYPE_CHECKING:
    from jwt_authorizer_devkit.routes.documents import Mapping

_METHODS = {method.lower(): method for method in HTTP_METHODS} | {"x-amazon-apigateway-any-method": ANY_METHOD}
_UNKNOWN_TO_API_GATEWAY = ("trace", "query")


@dataclass(frozen=True, slots=True)
class _Alternative:
    """One security requirement: ``token`` is whether it takes a token, ``other``: schemes that rules do not check."""

    schemes: tuple[str, ...]
    scopes: tuple[str, ...]
    token: bool
    other: tuple[str, ...]


def read_openapi(document: Mapping, *, default_authorizer: bool = False) -> Listing:
    """Return the routes of an OpenAPI document, with the scopes of their security requirements.

    ``default_authorizer``: the template sets its authorizer for operations without security.
    """
    listing = Listing()
    reader = _Reader(document, listing, default_authorizer=default_authorizer)
    paths = document.get("paths")
    if not isinstance(paths, dict):
        listing.problems.append("it has no paths")
        return listing
    for path, item in paths.items():
        if not str(path).startswith("x-"):
            reader.read_path(str(path), item)
    servers = document.get("servers")
    for server in servers if isinstance(servers, list) else []:
        prefix = urlsplit(str(mapping(server).get("url", ""))).path.rstrip("/")
        if prefix and "{" not in prefix:
            listing.notes.append(
                f"the server's path {prefix} is left out of the routes, as API Gateway leaves it out on import "
                "(unless basepath=prepend)"
            )
    if len(reader.token_schemes) > 1:
        listing.notes.append(
            f"there are several schemes with tokens ({', '.join(sorted(reader.token_schemes))}), which rules do not "
            "distinguish: if they are different issuers, add issuers = [...] to the routes"
        )
    return listing


class _Reader:
    def __init__(self, document: Mapping, listing: Listing, *, default_authorizer: bool) -> None:
        schemes = mapping(mapping(document.get("components")).get("securitySchemes"))
        self.schemes = schemes or mapping(document.get("securityDefinitions"))
        self.document = document
        self.listing = listing
        self.default_authorizer = default_authorizer
        self.token_schemes: set[str] = set()

    def read_path(self, path: str, item: object) -> None:
        path = DEFAULT if path == f"/{DEFAULT}" else path
        resolved = self._resolve(item)
        if resolved is None:
            self.listing.problems.append(f"{path}: it is in another document; copy it into this one first")
            return
        for key, operation in resolved.items():
            if str(key).lower() in _UNKNOWN_TO_API_GATEWAY:
                self.listing.notes.append(f"{str(key).upper()} {path}: API Gateway has no such method")
            method = _METHODS.get(str(key).lower())
            if method is not None:
                self._read_operation(method, path, mapping(operation))

    def _resolve(self, item: object) -> Mapping | None:
        """Follow a reference within the document; ``None`` if it leaves the document, or if a function computes it."""
        seen = 0
        while "$ref" in mapping(item):
            reference = str(mapping(item)["$ref"])
            seen += 1
            if not reference.startswith("#/") or seen > 10:  # noqa: PLR2004 - so many references are a cycle
                return None
            item = self.document
            for part in reference[2:].split("/"):
                item = mapping(item).get(part.replace("~1", "/").replace("~0", "~"))
        return None if function_of(item) or not isinstance(item, dict) else mapping(item)

    def _read_operation(self, method: str, path: str, operation: Mapping) -> None:
        route = name(method, path)
        if mapping(operation.get("x-amazon-apigateway-auth")).get("type") in ("AWS_IAM", "NONE"):
            self.listing.without_token[route] = "x-amazon-apigateway-auth"
            return
        security = operation.get("security", self.document.get("security"))
        if security is None and self.default_authorizer:
            self.listing.add(method, path, Need())
            return
        if not security:
            self.listing.without_token[route] = "no security"
            return
        try:
            need = self._need(security, route)
        except ValueError as error:
            self.listing.problems.append(f"{route}: {error}")
            return
        if need is None:
            self.listing.without_token[route] = "its security takes no token"
        else:
            self.listing.add(method, path, need)

    def _need(self, security: object, route: str) -> Need | None:
        """Make one rule of a list of security requirements; ``None`` if no requirement takes a token."""
        if not isinstance(security, list):
            raise ValueError("its security is not a list")  # noqa: TRY004 - callers read one kind of error
        alternatives = [self._alternative(one) for one in security]
        if any(not one.schemes for one in alternatives):
            message = "its security is optional ({}), but an authorizer is invoked always or never: remove the {}"
            raise ValueError(message)
        if not any(one.token for one in alternatives):
            return None
        if not all(one.token for one in alternatives):
            message = "it accepts requests with or without a token, but an authorizer is invoked always or never"
            raise ValueError(message)
        if len({one.other for one in alternatives}) > 1:
            message = "some of its alternatives need more than a token, others do not: a rule cannot distinguish them"
            raise ValueError(message)
        givers = {scheme for one in alternatives for scheme in one.schemes if one.scopes}
        if len({frozenset(one.scopes) for one in alternatives}) > 1 and all(one.scopes for one in alternatives):
            apart = {one.schemes for one in alternatives}
            if len(apart) > 1:
                raise ValueError(
                    f"its alternatives need different scopes by scheme ({', '.join(sorted(givers))}), but a rule does "
                    "not distinguish schemes: give them equal scopes, or write the route by hand, with issuers"
                )
        other = sorted({scheme for one in alternatives for scheme in one.other})
        if other:
            self.listing.notes.append(
                f"{route} needs {', '.join(other)} in addition to the token: rules do not check that"
            )
        return combine([one.scopes for one in alternatives])

    def _alternative(self, requirement: object) -> _Alternative:
        if not isinstance(requirement, dict):
            raise ValueError("a security requirement is not a mapping of schemes")  # noqa: TRY004 - callers read one kind of error
        scopes: list[str] = []
        other: list[str] = []
        token = False
        for scheme, wanted in mapping(requirement).items():
            if not isinstance(wanted, list) or not all(isinstance(scope, str) for scope in wanted):
                raise ValueError(f"the scopes of {scheme} are not a list of strings")
            if self._takes_token(scheme):
                token = True
                self.token_schemes.add(scheme)
                scopes += wanted
            else:
                other.append(str(scheme))
        return _Alternative(tuple(sorted(mapping(requirement))), tuple(scopes), token, tuple(sorted(other)))

    def _takes_token(self, scheme: str) -> bool:
        described = self._resolve(self.schemes.get(scheme))
        if described is None:
            raise ValueError(f"its security names {scheme}, which no security scheme describes")
        kind = described.get("type")
        if kind in ("oauth2", "openIdConnect"):
            return True
        if kind == "http":
            return str(described.get("scheme", "")).lower() == "bearer"
        if kind != "apiKey" or described.get("x-amazon-apigateway-authtype") == "awsSigv4":
            return False
        # API Gateway writes a Lambda authorizer as an API key in the header with the token.
        return "x-amazon-apigateway-authtype" in described or str(described.get("name", "")).lower() == "authorization"
