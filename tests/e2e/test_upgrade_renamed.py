"""An upgrade over a setting that was renamed: it fails with the new name, or holds what was set; nothing is dropped.

No release has renamed one so far, so both ends are made up of this tree. In the older one, ``cached_by`` is still
called ``cache_key``. The newer one is this tree after "Rename a setting, or remove one" in ``docs/releasing.md``.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from copy import deepcopy
from dataclasses import dataclass, replace

import pytest
from botocore.exceptions import ClientError  # type: ignore[import-untyped]  # it ships no types

from artifact.compatibility import breaks
from artifact.packaged_template import packaged_template
from artifact.record import current
from authorizer.settings.table import CACHED_BY
from demo.calls import Api, Client
from demo.decisions import DecisionLog
from demo.deployment import BUCKET, DEMO_TEMPLATE, aws_client
from demo.scenarios import AUDIENCE
from demo.stack import Deployed, Stack
from demo.tools import ROOT, host_architecture
from devkit.routes.documents import read_document
from tests.e2e.asking import ask
from tests.e2e.cloudformation import Made, change_stack, make_stack, uploaded
from tests.e2e.cloudformation import packaged_template as deployed_template

SOURCE = (ROOT / "template.yaml").read_text("utf-8")
OLDER = SOURCE.replace("JwtCachedBy", "JwtCacheKey").replace("JWT_CACHED_BY", "JWT_CACHE_KEY")
_PARAMETER = re.compile(r"^  JwtCacheKey:\n(?:    .*\n)+", re.MULTILINE)
_REFUSAL = """\
Rules:
  JwtCacheKeyIsGone:
    Assertions:
      - Assert: !Equals [!Ref JwtCacheKey, ""]
        AssertDescription: JwtCacheKey is JwtCachedBy now.
"""
NEWER = SOURCE.replace("\nRules:\n", f"\n{_REFUSAL}").replace(
    "  JwtCachedBy:\n    Type", f"{_PARAMETER.findall(OLDER)[0]}  JwtCachedBy:\n    Type"
)
FORMER = {"cache_key": CACHED_BY}
TABLE = "authorizer/settings/table.py"


@dataclass(slots=True)
class Renamed:
    """The stack, first as the older release made it, and APIs that were attached to it then."""

    made: Made
    deployed: Deployed
    newer: str
    """The template to upgrade to."""
    token: str

    def status(self) -> str:
        client = aws_client("cloudformation", self.made.aws)
        found: str = client.describe_stacks(StackName=self.made.name)["Stacks"][0]["StackStatus"]
        return found

    def variables(self) -> dict[str, str]:
        functions = aws_client("lambda", self.made.aws)
        found = functions.get_function_configuration(FunctionName=self.made.outputs["FunctionArn"])
        return dict(found["Environment"]["Variables"])


def with_table(stack: Stack, old: str, new: str) -> str:
    """Upload the deployed package with another table of settings; give its address."""
    key = re.findall(rf"CodeUri: s3://{BUCKET}/(\S+)", deployed_template(stack.aws, "demo-authorizer"))[0]
    package = aws_client("s3", stack.aws).get_object(Bucket=BUCKET, Key=key)["Body"].read()
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as source, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            text = source.read(entry)
            if entry.filename == TABLE:
                assert text.count(old.encode()) == 1
                text = text.replace(old.encode(), new.encode())
            # The bytecode is taken without a look at the source.
            if "settings/__pycache__/table." not in entry.filename:
                target.writestr(entry, text)
    return f"s3://{BUCKET}/{uploaded(stack.aws, changed.getvalue())}"


@pytest.fixture(scope="module")
def renamed(stack: Stack) -> Renamed:
    older = packaged_template(OLDER, with_table(stack, '"cached_by"', '"cache_key"'), host_architecture())
    former = with_table(stack, "FORMER: Former = {}", 'FORMER: Former = {"cache_key": CACHED_BY}')
    given = {
        "JwtIssuer": stack.issuer.url,
        "JwtAudience": AUDIENCE,
        "JwtCacheKey": "nothing",
        "JwtAllowHttp": "true",
        "Alarms": "off",  # the local AWS knows no metric math
    }
    made = make_stack(stack.aws, "renamed", older, given)
    apis = {"AuthorizerArn": made.outputs["FunctionArn"], "CacheSeconds": "0"}
    client = Client(stack.aws, make_stack(stack.aws, "renamed-apis", DEMO_TEMPLATE, apis).outputs)
    deployed = Deployed(client, DecisionLog(stack.aws, made.outputs["LogGroup"]))
    newer = packaged_template(NEWER, former, host_architecture())
    return Renamed(made, deployed, newer, stack.issuer.token(audience=AUDIENCE, scope="orders:read"))


def test_what_the_page_has_one_do_is_what_keeps_an_upgrade_whole() -> None:
    now = current(ROOT)
    code = deepcopy(now.interface)
    code["settings"]["cache_key"] = code["settings"].pop("cached_by")
    older, newer = replace(now, number="0.0.9", template=read_document(OLDER), interface=code), read_document(NEWER)
    assert breaks(older, replace(now, template=newer), "", FORMER) == []
    # And nothing less is.
    assert any("FORMER does not say" in told for told in breaks(older, replace(now, template=newer), ""))
    assert any("parameter JwtCacheKey is gone" in told for told in breaks(older, now, "", FORMER))


def test_with_the_old_name_the_upgrade_fails_with_the_new_one_and_all_stays_as_it_was(renamed: Renamed) -> None:
    assert renamed.variables()["JWT_CACHE_KEY"] == "nothing"
    with pytest.raises(ClientError, match="JwtCacheKey is JwtCachedBy now"):
        change_stack(renamed.made, {}, renamed.newer)
    assert renamed.status() == "CREATE_COMPLETE"
    assert ask(renamed.deployed, Api.REST, renamed.token) == (200, ["allow"])


def test_with_the_new_name_it_holds_what_was_set(renamed: Renamed) -> None:
    before = renamed.made.outputs
    renamed.made = change_stack(renamed.made, {"JwtCacheKey": "", "JwtCachedBy": "nothing"}, renamed.newer)
    assert {name: renamed.made.outputs.get(name) for name in before} == before
    variables = renamed.variables()
    assert (variables["JWT_CACHED_BY"], "JWT_CACHE_KEY" in variables) == ("nothing", False)
    assert ask(renamed.deployed, Api.REST, renamed.token) == (200, ["allow"])


def test_where_no_template_refuses_the_old_name_the_function_does_not_start_and_says_the_new_one(
    renamed: Renamed,
) -> None:
    # Somebody's own template, or the CDK, which name variables.
    variables = {**renamed.variables(), "JWT_CACHE_KEY": "nothing"}
    functions, name = aws_client("lambda", renamed.made.aws), renamed.made.outputs["FunctionArn"]
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
    assert ask(renamed.deployed, Api.REST, renamed.token) == (500, [])
    # The local AWS keeps no log of a start; what it says of one is the error.
    answer = json.loads(functions.invoke(FunctionName=name, Payload=b"{}")["Payload"].read())
    assert answer["errorMessage"].endswith("\n  - JWT_CACHE_KEY: is called JWT_CACHED_BY now")
