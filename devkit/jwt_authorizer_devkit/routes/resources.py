"""Build the paths of a REST API from a template's ``AWS::ApiGateway::Resource``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer_devkit.routes.documents import mapping

if TYPE_CHECKING:
    from jwt_authorizer_devkit.routes.documents import Mapping


def resource_path(resources: Mapping, reference: object) -> str | None:
    """Follow ``ParentId`` from a method's ``ResourceId`` up to the root; ``None`` if one is not in the template."""
    parts: list[str] = []
    for _ in range(len(resources) + 1):
        function, target = next(iter(mapping(reference).items()), ("", None))
        if function == "Fn::GetAtt" and isinstance(target, list) and target[1:] == ["RootResourceId"]:
            return "/" + "/".join(reversed(parts))
        resource = mapping(resources.get(str(target)))
        part = mapping(resource.get("Properties")).get("PathPart")
        if function != "Ref" or resource.get("Type") != "AWS::ApiGateway::Resource" or not isinstance(part, str):
            return None
        parts.append(part)
        reference = mapping(resource.get("Properties")).get("ParentId")
    return None
