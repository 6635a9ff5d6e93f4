"""`sam package` and `sam publish` of a release, up to the request that the Serverless Application Repository would get.

There is no such repository here: a server stands where it would be and keeps what it is sent. What that would make of
the request is held to the limits that the service's own model documents; whether it accepts each kind of resource in
the template, only the service can tell.
"""

from __future__ import annotations

import html
import json
import re
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import boto3  # type: ignore[import-untyped]  # boto3 ships no types
import pytest

from demo.deployment import BUCKET, aws_client
from demo.tools import REGION, ROOT, clean_environment, run
from jwt_authorizer_devkit.routes.documents import read_document
from jwt_authorizer_packaging.archive import sha256
from jwt_authorizer_packaging.version import version_of

if TYPE_CHECKING:
    from pathlib import Path

    from demo.stack import Stack

CATALOGUE = "serverless-application-repository"


@dataclass(frozen=True, slots=True)
class Published:
    template: dict[str, Any]
    """What `sam package` wrote."""
    request: dict[str, Any]
    """The body of CreateApplication."""


@pytest.fixture(scope="module")
def published(stack: Stack, release: Path, tmp_path_factory: pytest.TempPathFactory) -> Published:
    folder = tmp_path_factory.mktemp("published")
    sam, packaged = str(stack.deployer.tools.sam), folder / "packaged.yaml"
    package = [sam, "package", "--template-file", str(release / CATALOGUE / "template.yaml"), "--s3-bucket", BUCKET]
    package += ["--region", REGION, "--no-progressbar", "--output-template-file", str(packaged)]
    run(package, clean_environment(folder, stack.aws.endpoint), "sam package")
    kept: list[dict[str, Any]] = []
    with HTTPServer(("127.0.0.1", 0), repository(kept)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environment = clean_environment(folder, f"http://127.0.0.1:{server.server_port}")
        run([sam, "publish", "--template", str(packaged), "--region", REGION], environment, "sam publish")
        server.shutdown()
    (request,) = kept
    return Published(read_document(packaged.read_text("utf-8")), request)


def repository(kept: list[dict[str, Any]]) -> type[BaseHTTPRequestHandler]:
    class Repository(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            answer = json.dumps({"applicationId": "arn:aws:serverlessrepo:us-east-1:000000000000:applications/x"})
            self.send_response(201)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(answer.encode())

        def log_message(self, *_: object) -> None: ...

    return Repository


def uploaded(stack: Stack, address: str) -> bytes:
    bucket, _, key = address.removeprefix("s3://").partition("/")
    body: bytes = aws_client("s3", stack.aws).get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def test_the_code_that_is_published_is_the_zip_of_the_release(
    stack: Stack, release: Path, published: Published, tmp_path: Path
) -> None:
    resources = published.template["Resources"].values()
    places = {each["Properties"]["CodeUri"] for each in resources if each["Type"] == "AWS::Serverless::Function"}
    (place,) = places
    (tmp_path / "uploaded.zip").write_bytes(uploaded(stack, place))
    (package,) = release.glob("*-arm64.zip")
    assert sha256(tmp_path / "uploaded.zip") == sha256(package)
    # It holds code for one architecture, so nobody can ask for the other.
    assert published.template["Parameters"]["Architecture"]["AllowedValues"] == ["arm64"]


def test_licence_and_readme_go_along(stack: Stack, published: Published) -> None:
    for name, member in (("LICENSE", "licenseUrl"), ("README.md", "readmeUrl")):
        assert uploaded(stack, published.request[member]) == (ROOT / name).read_bytes()


def test_the_repository_is_sent_the_version_and_no_address_that_was_made_up(published: Published) -> None:
    request = published.request
    assert request["semanticVersion"] == version_of(ROOT).number
    assert (request["name"], request["spdxLicenseId"]) == ("jwt-authorizer", "Apache-2.0")
    assert not {"homePageUrl", "sourceCodeUrl"} & request.keys()
    template = read_document(request["templateBody"])
    # All but the metadata, which is the request's own.
    assert template["Resources"] == published.template["Resources"]


LIMITED = ("Author", "Description", "Name", "Labels")


@pytest.mark.parametrize("member", LIMITED)
def test_what_it_is_sent_is_within_the_limits_that_the_service_documents(published: Published, member: str) -> None:
    model = boto3.session.Session()._session.get_service_model("serverlessrepo")  # noqa: SLF001 - the documented limits are nowhere else
    documented = html.unescape(model.shape_for("CreateApplicationRequest").members[member].documentation)
    longest = int(re.findall(r"Maximum length=(\d+)", documented)[0])
    sent = published.request[member[0].lower() + member[1:]]
    values = sent if isinstance(sent, list) else [sent]
    assert values
    assert all(0 < len(value) <= longest for value in values)
    pattern = re.search(r'Pattern:? *"(.*?)"', documented)
    if pattern:
        assert all(re.fullmatch(pattern[1].replace("\\\\", "\\"), value) for value in values)
    most = re.search(r"Maximum number of labels: (\d+)", documented)
    assert len(values) <= (int(most[1]) if most else 1)
