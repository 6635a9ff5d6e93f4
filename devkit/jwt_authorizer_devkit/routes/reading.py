"""Convert an OpenAPI document or a template to the TOML of its routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer_devkit import toml_text
from jwt_authorizer_devkit.routes.documents import mapping, read_document
from jwt_authorizer_devkit.routes.listed import route_tables
from jwt_authorizer_devkit.routes.openapi import read_openapi
from jwt_authorizer_devkit.routes.templates import read_template

if TYPE_CHECKING:
    from jwt_authorizer_devkit.routes.listed import Listing


def read_routes(text: str, api: str | None = None) -> Listing:
    """Return the routes of an OpenAPI document or a template.

    ``api`` chooses one of a template's APIs. Raises ``ValueError`` if the document is neither.
    """
    document = read_document(text)
    if "openapi" in document or "swagger" in document:
        listing = read_openapi(document)
    elif mapping(document.get("Resources")):
        listing = read_template(document, api)
    else:
        raise ValueError("is neither an OpenAPI document (openapi: 3.x) nor a template with Resources")
    listing.check()
    return listing


def routes_toml(listing: Listing, source: str) -> str:
    """Return the routes for ``JWT_CONFIG``, with notes as comments."""
    notes = [f"Routes of {source}, written by: jwt-authorizer rules from. The API has only these routes."]
    if listing.without_token:
        notes.append("Left out, since they do not take a token:")
        notes += [f"  {route} ({why})" for route, why in listing.without_token.items()]
    notes += [f"Note: {note}" for note in listing.notes]
    comment = "".join(f"# {line}\n" for note in notes for line in note.splitlines())
    return comment + toml_text.document({"unlisted_routes": "absent", "routes": route_tables(listing)})
