"""A card as PMML 4.4, the exchange format of the Data Mining Group: its own element ``Scorecard``, with whole points.

A missing value must come as missing, not as NaN. A category that the card refuses has no score; PMML has no place for
refusing an infinity, so a reader gives it the points of the outermost bin.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

from blindscore.errors import ParameterError
from blindscore.scorecard.card import Card, Characteristic

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2


def card_to_pmml(card: Card) -> str:
    """Return the card as PMML text; fields have the features' names, the result is the field ``score``.

    Raises
    ------
    ParameterError
        A feature is called "score", or a name holds a character that XML has no form for.
    """
    named = [*card.features, *(name for c in card.characteristics for group in c.groups or () for name in group)]
    if "score" in card.features or any(_NOT_XML.search(name) for name in named):
        raise ParameterError("PMML cannot hold a feature called 'score', nor control characters in names; rename it")
    root = ElementTree.Element("PMML", version="4.4", xmlns="http://www.dmg.org/PMML-4_4")
    header = ElementTree.SubElement(root, "Header", description=f"fingerprint {card.fingerprint}")
    ElementTree.SubElement(header, "Application", name="blindscore")
    fields = ElementTree.SubElement(root, "DataDictionary")
    for c in card.characteristics:
        kinds = {"optype": "continuous", "dataType": "double"}
        if c.groups is not None:
            kinds = {"optype": "categorical", "dataType": "string"}
        field = ElementTree.SubElement(fields, "DataField", {"name": c.feature, **kinds})
        listed = (name for group in c.groups or () for name in group)
        for category in listed if c.other is None else ():  # a list of values would make others invalid
            ElementTree.SubElement(field, "Value", value=category)
    ElementTree.SubElement(fields, "DataField", name="score", optype="continuous", dataType="integer")
    model = ElementTree.SubElement(
        root, "Scorecard", functionName="regression", initialScore=str(card.base), useReasonCodes="false"
    )
    schema = ElementTree.SubElement(model, "MiningSchema")
    for feature in card.features:
        ElementTree.SubElement(schema, "MiningField", name=feature)
    ElementTree.SubElement(schema, "MiningField", name="score", usageType="target")
    bounds = {"field": "score", "min": str(card.scale.low), "max": str(card.scale.high), "castInteger": "round"}
    ElementTree.SubElement(ElementTree.SubElement(model, "Targets"), "Target", bounds)
    parts = ElementTree.SubElement(model, "Characteristics")
    for c in card.characteristics:
        _add(parts, c)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _add(parts: ElementTree.Element, c: Characteristic) -> None:
    """Add one characteristic; the first attribute whose predicate holds gives its points, so upper edges suffice."""
    part = ElementTree.SubElement(parts, "Characteristic", name=f"points of {c.feature}")
    *ordinary, missing = c.points

    def attribute(points: int) -> ElementTree.Element:
        return ElementTree.SubElement(part, "Attribute", partialScore=str(points))

    ElementTree.SubElement(attribute(missing), "SimplePredicate", field=c.feature, operator="isMissing")
    if c.groups is not None:
        for group, points in zip(c.groups, ordinary, strict=True):
            if group:
                chosen = ElementTree.SubElement(
                    attribute(points), "SimpleSetPredicate", field=c.feature, booleanOperator="isIn"
                )
                quoted = ('"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"' for name in group)
                ElementTree.SubElement(chosen, "Array", type="string", n=str(len(group))).text = " ".join(quoted)
        if c.other is not None:
            ElementTree.SubElement(attribute(c.points[c.other]), "True")
        return
    for edge, points in zip(c.edges, ordinary, strict=False):
        below = {"field": c.feature, "operator": "lessThan", "value": repr(edge)}
        ElementTree.SubElement(attribute(points), "SimplePredicate", below)
    ElementTree.SubElement(attribute(ordinary[-1]), "True")
