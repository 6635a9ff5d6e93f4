"""A JSON Schema (draft 2020-12) of ``JWT_CONFIG``'s document, generated from the table of settings.

It requires TOML's own types: ``60`` and ``true``. The function also accepts ``"60"`` and ``"true"``.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, cast

from jwt_authorizer.contexts import RESERVED_KEYS
from jwt_authorizer.rules.model import ANY_METHOD, HTTP_METHODS
from jwt_authorizer.settings import claim_values, issuer_values, table, values
from jwt_authorizer.settings.model import Place
from jwt_authorizer.signatures import SUPPORTED_ALGORITHMS
from jwt_authorizer.tokens import TokenLocation
from jwt_authorizer_devkit.described import described

if TYPE_CHECKING:
    from collections.abc import Callable

    from jwt_authorizer.claim_conditions import Claim
    from jwt_authorizer.settings.model import Setting

    Schema = dict[str, object]


_STRING: Schema = {"type": "string", "pattern": r"\S"}
_SCALAR: Schema = {"type": ["string", "number", "boolean"]}
_ACCEPTED: Schema = {"anyOf": [_SCALAR, {"type": "array", "items": _SCALAR, "minItems": 1}]}
_NON_EMPTY: Schema = {"type": "string", "minLength": 1}
_CONDITION: Schema = {
    "type": "object",
    "properties": {
        "any": _ACCEPTED,
        "all": _ACCEPTED,
        "like": {"anyOf": [_NON_EMPTY, {"type": "array", "items": _NON_EMPTY, "minItems": 1}]},
    },
    "minProperties": 1,
    "additionalProperties": False,
}
_POINTER: Schema = {"pattern": r"^([^/]|/([^~]|~[01])*$|$)"}
_CLAIM: Schema = {**_STRING, "not": {"pattern": r"^\s*/.*~([^01]|$)"}}
_CLAIMS: Schema = {
    "type": "object",
    "minProperties": 1,
    "propertyNames": _POINTER,
    "additionalProperties": {"anyOf": [_ACCEPTED, _CONDITION]},
}
_SCOPE: Schema = {"type": "string", "pattern": r"^[\x21\x23-\x5B\x5D-\x7E]+$"}
_SOURCE = rf"\s*({'|'.join(TokenLocation)}):[A-Za-z0-9!#$%&'*+.^_`|~-]+\s*"
_SEGMENT = r"((?!:)[A-Za-z0-9._~:,@!&'()+;=%-]+|\{[A-Za-z0-9._:-]+\})"
_PATH = rf"^(/|\$default|\$connect|(/{_SEGMENT})*/({_SEGMENT}|\{{[A-Za-z0-9._:-]+\+\}}))$"
_TENANT: Schema = {"type": "string", "pattern": r"^[A-Za-z0-9._-]{1,64}$"}
_ALGORITHM: Schema = {"enum": sorted(SUPPORTED_ALGORITHMS)}


def config_schema() -> Schema:
    """Return the schema. Raises ``LookupError`` if a setting has a reader that this module does not know."""
    schemas = {it.setting: {**setting_schema(it.setting), "description": it.plain} for it in described()}
    own = {one.name: schema for one, schema in schemas.items() if one.place is Place.ISSUER}
    top = {one.name: schema for one, schema in schemas.items() if one.place in (Place.DOCUMENT, Place.EITHER)}
    top["context"] = top.pop(table.CONTEXT_CLAIMS.name)
    names = (table.AUDIENCE.name, table.CLIENT_ID.name, table.ANY_AUDIENCE.name)
    required: list[Schema] = [{"required": [name]} for name in names]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "JWT authorizer for API Gateway: JWT_CONFIG",
        "type": "object",
        "properties": {
            **{name: schema for name, schema in own.items() if name != table.ISSUER.name},
            **top,
            "unlisted_routes": {
                "enum": ["deny", "absent"],
                "default": "deny",
                "description": "absent: you promise that the API has only the listed routes.",
            },
            "issuers": {
                "type": "array",
                "minItems": 1,
                "description": "The issuers whose tokens are accepted.",
                "items": {
                    "type": "object",
                    "properties": own,
                    "required": [table.ISSUER.name],
                    "additionalProperties": False,
                },
            },
            "routes": {
                "type": "array",
                "minItems": 1,
                "description": "Rules by route: the most specific one decides.",
                "items": _route(),
            },
            "fields": {
                "type": "array",
                "minItems": 1,
                "description": "AppSync's fields that need more rights than a valid token.",
                "items": _field(),
            },
        },
        "required": ["issuers"],
        "anyOf": [*required, {"properties": {"issuers": {"items": {"anyOf": required}}}}],
        "dependentRequired": {"unlisted_routes": ["routes"]},
        "additionalProperties": False,
    }


def setting_schema(setting: Setting[object, object]) -> Schema:
    """Return the schema of the values that a setting takes in TOML.

    Raises ``LookupError`` if its reader is of a kind that :func:`_of_reader` does not know.
    """
    schema = _of_reader(setting.read)
    if isinstance(setting.default, str | bool | int | float):
        schema["default"] = setting.default
    elif setting.read is claim_values.claims:
        schema["default"] = [claim.name for claim in cast("tuple[Claim, ...]", setting.default)]
    return schema


def _of_reader(read: Callable[[object], object]) -> Schema:
    known: dict[object, Schema] = {
        values.string: _STRING,
        claim_values.claim: _CLAIM,
        claim_values.claims: _list_or_string(_CLAIM, r"[^,]*[^,\s][^,]*"),
        issuer_values.issuer: _STRING,
        issuer_values.locations: {"anyOf": [_STRING, {"type": "array", "items": _STRING, "minItems": 1}]},
        issuer_values.tenants: _list_or_string(_TENANT, r"\s*[A-Za-z0-9:/._-]+\s*"),
        issuer_values.introspection: {"type": "string", "pattern": "^(discovery|https?://.+)$"},
        issuer_values.secret_location: {"type": "string", "pattern": "^(ssm|secretsmanager):.+$"},
        values.exact_strings: _list_or_string(_STRING, r"[^,]*[^,\s][^,]*"),
        values.strings: _list_or_string(_STRING, r"[^,]*[^,\s][^,]*"),
        values.scopes: _list_or_string(_SCOPE, None),
        values.algorithms: _list_or_string(_ALGORITHM, rf"\s*({'|'.join(sorted(SUPPORTED_ALGORITHMS))})\s*"),
        values.token_types: _list_or_string(_STRING, r"[^,]*[^,\s][^,]*"),
        values.token_sources: _list_or_string({"type": "string", "pattern": f"^{_SOURCE}$"}, _SOURCE),
        values.bound_tokens: {
            "anyOf": [
                {"enum": ["refuse", "ignore", "dpop", "mtls", "dpop,mtls"]},
                {"type": "array", "items": {"enum": ["dpop", "mtls"]}, "minItems": 1, "uniqueItems": True},
                {"enum": [["refuse"], ["ignore"]]},
            ]
        },
        values.replay_store: {"type": "string", "pattern": r"^(memory|dynamodb:[A-Za-z0-9_.-]{3,255})$"},
        values.boolean: {"type": "boolean"},
        values.count: {"type": "integer", "minimum": 0},
        claim_values.required_claims: _CLAIMS,
        claim_values.context_claims: {
            "type": "object",
            "propertyNames": {
                "pattern": r"^[A-Za-z0-9_.:-]+$",
                "not": {"enum": sorted(RESERVED_KEYS)},
            },
            "additionalProperties": {**_NON_EMPTY, **_POINTER},
        },
    }
    if read in known:
        return dict(known[read])
    # Readers that are made with bounds or choices have them in a closure, so only inspection finds them.
    made_with = inspect.getclosurevars(read).nonlocals if inspect.isfunction(read) else {}
    if "least" in made_with:
        bounds = {"minimum": made_with["least"], "maximum": made_with["most"]}
        return {"type": "number", **{name: bound for name, bound in bounds.items() if bound is not None}}
    if "pattern" in made_with:
        return {"type": "string", "pattern": f"^{made_with['pattern']}$"}
    if "by_name" in made_with:
        return {"enum": list(cast("dict[str, object]", made_with["by_name"]))}
    raise LookupError(f"no schema for the values that {read!r} reads: add it to the known readers of {__name__}")


def _list_or_string(item: Schema, one: str | None) -> Schema:
    """Return the schema of a list, or of a comma-separated string as in an environment variable."""
    string = _STRING if one is None else {"type": "string", "pattern": f"^{one}(,{one})*$"}
    return {"anyOf": [{"type": "array", "items": item, "minItems": 1}, string]}


def _route() -> Schema:
    method: Schema = {"enum": [*HTTP_METHODS, ANY_METHOD, "ANY"]}
    return {
        "type": "object",
        "properties": {
            "method": {
                "anyOf": [method, {"type": "array", "items": method, "minItems": 1, "uniqueItems": True}],
                "description": 'A method, a list of methods, or "*" for all, which is the default.',
            },
            "path": {"type": "string", "pattern": _PATH, "description": "API Gateway's template: /orders/{id}."},
            **_rights(),
        },
        "required": ["path"],
        "additionalProperties": False,
    }


def _field() -> Schema:
    name: Schema = {"type": "string", "pattern": r"^[_A-Za-z]\w*\.[_A-Za-z]\w*$", "description": "Mutation.deleteOrder"}
    rights = _rights()
    return {
        "type": "object",
        "properties": {"field": name, **rights},
        "required": ["field"],
        "anyOf": [{"required": [right]} for right in rights],
        "additionalProperties": False,
    }


def _rights() -> dict[str, Schema]:
    """Return the schemas of what a route or a field may require of a token."""
    scopes: Schema = {"type": "array", "items": _SCOPE, "minItems": 1}
    return {
        "scopes": {**scopes, "description": "All of them are needed."},
        "any_scopes": {**scopes, "description": "One of them is needed."},
        "claims": {
            **_CLAIMS,
            "description": "What each claim has to be: a value, one of a list, or a table of any, all and like.",
        },
        "issuers": {
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "minItems": 1,
            "description": "Only tokens of these issuers.",
        },
    }
