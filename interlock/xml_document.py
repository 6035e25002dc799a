"""XML from outside, read without document types: no entity can be declared, so none can grow or fetch."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring


class DocumentTypeError(ValueError):
    """It declares a document type. What it would hold is not looked into."""


def root(body: bytes) -> ET.Element:
    """The root of a document, in whatever encoding it says. Raises `ValueError` with the reason."""
    try:
        found: ET.Element = fromstring(body, forbid_dtd=True)
    except DefusedXmlException:
        raise DocumentTypeError("it declares a document type, which is not read") from None
    except (ET.ParseError, LookupError, ValueError) as exc:
        raise ValueError(f"it is not XML: {exc}") from exc
    return found
