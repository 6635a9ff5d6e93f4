"""``template.yaml`` as it is deployed without a build: each function's code is a zip beside it."""

from __future__ import annotations

import re

# `sam build` alone reads these: how to build, and for which architecture.
_BUILDING = re.compile(r"^    Metadata:\n(?:      .*\n)*?      BuildMethod: makefile\n(?:      .*\n)*", re.MULTILINE)
_CODE = re.compile(r"^      CodeUri: authorizer$", re.MULTILINE)
_FUNCTION = re.compile(r"^    Type: AWS::Serverless::Function$", re.MULTILINE)
_ARCHITECTURE = re.compile(
    r"^(  Architecture:\n    Type: String\n)"
    r"    Default: arm64\n    AllowedValues: \[arm64, x86_64\]\n    Description: .*\n",
    re.MULTILINE,
)
_LICENSE_NAME = re.compile(r"^    SpdxLicenseId: .*\n", re.MULTILINE)
_CATALOGUE = re.compile(r"^  AWS::ServerlessRepo::Application:\n(?:    .*\n|\n)+", re.MULTILINE)


def packaged_template(source: str, code: str, architecture: str, *, catalogued: bool = False) -> str:
    """Give the text of ``template.yaml`` with ``code`` as the place of each function's code.

    What is written for one architecture refuses the other, since it comes with one zip. ``catalogued`` keeps the
    metadata for the Serverless Application Repository, and names the licence and the readme, which have to lie beside.

    Raises:
        ValueError: The template is no longer of the form that this knows.

    """
    functions = len(_FUNCTION.findall(source))
    text = _replace(_BUILDING, "", source, functions, "Metadata of a function")
    text = _replace(_CODE, f"      CodeUri: {code}", text, functions, "CodeUri: authorizer")
    told = f"What {code} was built for." if code.endswith(".zip") else "What the code was built for."
    fixed = rf"\g<1>    Default: {architecture}\n    AllowedValues: [{architecture}]\n    Description: {told}\n"
    text = _replace(_ARCHITECTURE, fixed, text, 1, "parameter Architecture")
    if not catalogued:
        return _CATALOGUE.sub("", text)
    files = r"\g<0>    LicenseUrl: LICENSE\n    ReadmeUrl: README.md\n"
    return _replace(_LICENSE_NAME, files, text, 1, "SpdxLicenseId")


def _replace(pattern: re.Pattern[str], new: str, text: str, times: int, what: str) -> str:
    text, done = pattern.subn(new, text)
    if done != times:
        message = f"template.yaml has {done} of what should be there {times} times: {what}"
        raise ValueError(message)
    return text
