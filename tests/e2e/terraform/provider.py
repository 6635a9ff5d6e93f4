"""A stand-in for Terraform's AWS provider, which Terraform starts: it has the provider's schema and nothing else.

That is enough for Terraform to check every argument and its type, and for tests whose resources are mocks.
``scripts/terraform_schema.py`` writes the schema. The package ``tf`` speaks Terraform's protocol for providers.
"""

import importlib
import json
from pathlib import Path
from typing import Any

SCHEMA = json.loads((Path(__file__).parent / "aws_schema.json").read_text("utf-8"))
TYPES = {"list(string)": '["list","string"]', "map(string)": '["map","string"]'}


def main() -> None:
    """Serve until Terraform says stop."""
    protocol, services, library, runner = (
        importlib.import_module(f"tf.{name}")
        for name in ("gen.tfplugin_pb2", "gen.tfplugin_pb2_grpc", "provider", "runner")
    )
    resources, data = (
        {name: schema(protocol, it) for name, it in SCHEMA[kind].items()} for kind in ("resources", "data")
    )
    described = protocol.GetProviderSchema.Response(
        provider=protocol.Schema(block=protocol.Schema.Block()), resource_schemas=resources, data_source_schemas=data
    )
    # The schema, and no objection to anything.
    ours = services.ProviderServicer()
    ours.GetProviderSchema = lambda *_: described
    for name in ("ValidateProviderConfig", "ValidateResourceConfig", "ValidateDataResourceConfig", "StopProvider"):
        empty = getattr(protocol, name).Response()
        setattr(ours, name, lambda *_, empty=empty: empty)
    # The library's own service is for providers that do things. Its handshake, with certificates, is what is wanted.
    vars(library)["ProviderServicer"] = lambda _: ours
    runner.run_provider(None)


def schema(protocol: Any, described: dict[str, Any]) -> object:  # noqa: ANN401 - of the same
    """Word one resource's schema as the protocol does."""
    nested = protocol.Schema.NestedBlock
    blocks = [
        nested(type_name=name, nesting=nested.LIST, max_items=1, block=block(protocol, attributes))
        for name, attributes in described["blocks"].items()
    ]
    return protocol.Schema(block=block(protocol, described["attributes"], blocks))


def block(protocol: Any, attributes: dict[str, str], blocks: list[Any] | None = None) -> object:  # noqa: ANN401 - of the same
    """Word a block: a required attribute is to be set, a computed one never, and others may be."""
    found = []
    for name, said in attributes.items():
        kind, _, use = said.partition(" ")
        # The bindings do not say which of these the provider fills in itself; a mock fills in what may be computed.
        flags = {use: True} if use else {"optional": True, "computed": name != "qualifier"}
        found.append(protocol.Schema.Attribute(name=name, type=TYPES.get(kind, f'"{kind}"').encode(), **flags))
    return protocol.Schema.Block(attributes=found, block_types=blocks or [])


if __name__ == "__main__":
    main()
