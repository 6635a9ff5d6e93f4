"""The template for a deployment without a build: each function's code is a zip beside it."""

from __future__ import annotations

from jwt_authorizer_packaging.template import template, write

_CATALOG = "AWS::ServerlessRepo::Application"


def packaged_template(code: str, architecture: str, *, catalogued: bool = False) -> str:
    """Return the text of ``template.yaml`` with ``code`` as the location of each function's code.

    The template accepts only this architecture, since its zip is for it. ``catalogued``: include the metadata for the
    Serverless Application Repository, with the license and the readme, which must be in the same folder.
    """
    packaged = template()
    for resource in packaged["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            del resource["Metadata"]  # only `sam build` reads it
            resource["Properties"]["CodeUri"] = code
    about = f"What {code} was built for." if code.endswith(".zip") else "What the code was built for."
    fixed = {"Default": architecture, "AllowedValues": [architecture], "Description": about}
    packaged["Parameters"]["Architecture"] |= fixed
    if catalogued:
        packaged["Metadata"][_CATALOG] |= {"LicenseUrl": "LICENSE", "ReadmeUrl": "README.md"}
    else:
        del packaged["Metadata"][_CATALOG]
    return write(packaged)
