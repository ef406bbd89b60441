"""Documents against the official schemas that ship beside this module; says in words what is wrong. Never asks the network."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema import FormatChecker
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator
    from referencing import Registry, Resource

Document = dict[str, Any]

_CSAF_20 = "https://docs.oasis-open.org/csaf/csaf/v2.0/"
_CSAF_21 = "https://docs.oasis-open.org/csaf/csaf/v2.1/schema/"
CVE = "https://cveproject.github.io/cve-schema/schema/CVE_Record_Format.json"
OSV = "https://raw.githubusercontent.com/ossf/osv-schema/main/validation/schema.json"
# The file of each schema, below schemas/, by the address under which others refer to it.
_FILES = {
    f"{_CSAF_20}csaf_json_schema.json": "csaf-2.0/csaf_json_schema.json",
    f"{_CSAF_20}provider_json_schema.json": "csaf-2.0/provider_json_schema.json",
    f"{_CSAF_21}csaf.json": "csaf-2.1/csaf.json",
    f"{_CSAF_21}provider.json": "csaf-2.1/provider.json",
    f"{_CSAF_21}meta.json": "csaf-2.1/meta.json",
    f"{_CSAF_21}extension-content.json": "csaf-2.1/extension-content.json",
    f"{_CSAF_21}extension-metaschema.json": "csaf-2.1/extension-metaschema.json",
    "https://www.first.org/cvss/cvss-v2.0.json": "cvss/cvss-v2.0.json",
    "https://www.first.org/cvss/cvss-v3.0.json": "cvss/cvss-v3.0.json",
    "https://www.first.org/cvss/cvss-v3.1.json": "cvss/cvss-v3.1.json",
    "https://www.first.org/cvss/cvss-v4.0.json": "cvss/cvss-v4.0.json",
    "https://www.first.org/cvss/meta.json": "cvss/meta.json",
    OSV: "osv/schema.json",
    CVE: "cve/CVE_Record_Format_bundled.json",
}
# CSAF 2.1 refers to this one as well. Its licence is no free one, and no document of ours holds what it describes.
_NOT_SHIPPED = "https://certcc.github.io/SSVC/data/schema/v2/SelectionList_2_0_0.schema.json"
# Which schema a published path promises; the first that fits.
_PROMISED = (
    (re.compile(r"/v2\.1/provider-metadata\.json$"), f"{_CSAF_21}provider.json"),
    (re.compile(r"/provider-metadata\.json$"), f"{_CSAF_20}provider_json_schema.json"),
    (re.compile(r"(?:^|/)csaf/white/[0-9]{4}/[^/]+\.json$"), f"{_CSAF_20}csaf_json_schema.json"),
    (re.compile(r"(?:^|/)csaf/clear/[0-9]{4}/[^/]+\.json$"), f"{_CSAF_21}csaf.json"),
    (re.compile(r"\.osv\.json$"), OSV),
    (re.compile(r"\.cve\.json$"), CVE),
)
_CONTAINER = f"{CVE}#/definitions/cnaPublishedContainer"
_RECORD = f"{CVE}#/oneOf/0"  # of the two states the published one: the other's reasons would only confuse
# CVE Services puts in who submits; the container's definition wants it there already. Version 4, as its pattern asks.
_SUBMITTED = {"providerMetadata": {"orgId": "00000000-0000-4000-9000-000000000000"}}
_LONGEST = 200  # characters of one reason: it may quote the value that is wrong
_MOST = 20  # problems named of one document


def problems(path: str, document: Document) -> tuple[str, ...]:
    """Path and reason of what the schema that this path promises refuses; empty where it holds."""
    schema = next((schema for pattern, schema in _PROMISED if pattern.search(path)), None)
    if schema is None:
        return (f"{path}: no schema is known for it",)
    if schema == CVE:
        container = document.get("cnaContainer")
        schema, document = (_RECORD, document) if container is None else (_CONTAINER, {**_SUBMITTED, **container})
    found = sorted(
        _validator(schema).iter_errors(document), key=lambda error: [str(step) for step in error.absolute_path]
    )
    return tuple(dict.fromkeys(f"{path}: {said}" for error in found for said in _said(error)))[:_MOST]


def _said(error: ValidationError) -> Iterator[str]:
    """The error that a person can mend: the deepest of the alternative that came nearest."""
    from jsonschema.exceptions import best_match

    nearest = best_match([error]) or error
    where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in nearest.absolute_path)
    reason = nearest.message if len(nearest.message) <= _LONGEST else f"{nearest.message[:_LONGEST]}…"
    yield f"{where.lstrip('.') or 'the document'}: {reason}"


@cache
def _validator(schema: str) -> Validator:
    from jsonschema import Draft7Validator, Draft202012Validator

    dialect = Draft7Validator if schema.startswith(CVE) else Draft202012Validator
    return dialect({"$ref": schema}, registry=_registry(), format_checker=_formats())


@cache
def _registry() -> Registry[Any]:
    from referencing import Registry
    from referencing.jsonschema import DRAFT7, DRAFT202012, specification_with

    def resource(contents: Document) -> Resource[Any]:
        # CSAF 2.1 and CVSS 4.0 name a dialect of their own, which is 2020-12 without unknown keywords.
        draft = specification_with(contents["$schema"], default=DRAFT202012)
        return (DRAFT7 if draft is DRAFT7 else DRAFT202012).create_resource(contents)

    refused = (_NOT_SHIPPED, DRAFT202012.create_resource({"not": {}}))
    shipped = ((address, resource(_schema(file))) for address, file in _FILES.items())
    return Registry().with_resources((refused, *shipped))


def _schema(file: str) -> Document:
    text = (files("triaged.publication") / "schemas" / file).read_text(encoding="utf-8")
    read: Document = json.loads(text)
    return read


@cache
def _formats() -> FormatChecker:
    """The formats that these schemas name; jsonschema checks none of them without further packages."""
    from jsonschema import FormatChecker

    checker = FormatChecker(formats=())
    checker.checks("date-time", raises=ValueError)(_date_time)
    checker.checks("uri")(lambda value: not isinstance(value, str) or bool(_URI.fullmatch(value)))
    return checker


_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)
_URI = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+", re.ASCII
)  # RFC 3986, its characters


def _date_time(value: object) -> bool:
    """RFC 3339 section 5.6."""
    return not isinstance(value, str) or bool(_INSTANT.fullmatch(value) and datetime.fromisoformat(value))
