"""A card as an ONNX graph: integer points in, the same integer scores out, wherever ONNX runs.

Inputs: one a feature, under its name (:func:`input_name`), shape (n,): double for a number (NaN = missing), string for
a category (`MISSING` = missing; an empty string is a category like any other). Outputs: ``score`` (n,) int16;
``points`` (n, d) int32 in card order, whose row sum plus the base is the total before clipping; ``known`` (n,) bool,
False where a number is infinite or the card refuses a category, and then the score is 0, which no scale here gives.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.errors import CardError
from blindscore.extras import needs
from blindscore.scorecard.binning import categories, check_columns, numbers
from blindscore.scorecard.card import Card, Characteristic

OPSET, ML_OPSET, IR_VERSION = 18, 3, 9  # old enough for runtimes of the last three years
MISSING = "\u2400"  # ONNX has no empty place for text: the symbol for null stands for one
OUTPUTS = ("score", "points", "known")
_OURS = ("value.", "constant.", "feature.")  # how names of the graph itself begin


def input_name(feature: str) -> str:
    """Name of a feature's input: its own, or with ``feature.`` before it where the graph has that name already."""
    return f"feature.{feature}" if feature in OUTPUTS or feature.startswith(_OURS) else feature


def card_to_onnx(card: Card) -> bytes:
    """Return the card as a serialised ONNX model.

    Raises
    ------
    MissingExtraError
        The extra ``export`` is not installed.
    CardError
        The scale can give a score of 0, which marks unknown people here, or a category is called `MISSING`.
    """
    with needs("export"):
        from onnx import TensorProto, checker, helper
    if card.scale.low <= 0 <= card.scale.high:
        raise CardError("a scale that contains 0 cannot go to ONNX, where 0 marks people who cannot be scored")
    if any(MISSING in group for c in card.characteristics for group in c.groups or ()):
        raise CardError(f"a category called {MISSING!r} cannot go to ONNX, where it stands for a missing value")
    graph = _Graph()
    inputs, points, known = [], [], []
    for c in card.characteristics:
        kind = TensorProto.DOUBLE if c.groups is None else TensorProto.STRING
        inputs.append(helper.make_tensor_value_info(input_name(c.feature), kind, ["n"]))
        place, sound = _number_bin(graph, c) if c.groups is None else _category_bin(graph, c)
        table = graph.constant(np.array(c.points, np.int32))
        column = graph.node("Gather", [table, place])
        points.append(graph.node("Unsqueeze", [column, graph.constant(np.array([1]))]))
        known.append(sound)
    table = graph.node("Concat", points, "points", axis=1)
    base = graph.constant(np.array(card.base, np.int32))
    total = graph.node("ReduceSum", [table, graph.constant(np.array([1]))], keepdims=0)
    total = graph.node("Add", [total, base])
    for operator, bound in (("Max", card.scale.low), ("Min", card.scale.high)):
        total = graph.node(operator, [total, graph.constant(np.array(bound, np.int32))])
    sound = known[0]
    for other in known[1:]:
        sound = graph.node("And", [sound, other])
    graph.node("Identity", [sound], "known")
    total = graph.node("Where", [sound, total, graph.constant(np.array(0, np.int32))])
    graph.node("Cast", [total], "score", to=TensorProto.INT16)
    outputs = [
        helper.make_tensor_value_info("score", TensorProto.INT16, ["n"]),
        helper.make_tensor_value_info("points", TensorProto.INT32, ["n", len(card.characteristics)]),
        helper.make_tensor_value_info("known", TensorProto.BOOL, ["n"]),
    ]
    model = helper.make_model(
        helper.make_graph(graph.nodes, "scorecard", inputs, outputs, graph.constants),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)],
        ir_version=IR_VERSION,
        producer_name="blindscore",
    )
    told = {"fingerprint": card.fingerprint, "base": str(card.base), "missing_category": MISSING}
    helper.set_model_props(model, told)
    checker.check_model(model)
    return bytes(model.SerializeToString())


def onnx_inputs(card: Card, people: pd.DataFrame) -> dict[str, NDArray[Any]]:
    """Return people in the form that the graph takes; columns are matched by name.

    Raises
    ------
    DataError
        A column is missing or has the wrong type.
    """
    check_columns(card.features, people)
    feeds: dict[str, NDArray[Any]] = {}
    for c in card.characteristics:
        if c.groups is None:
            feeds[input_name(c.feature)] = numbers(people[c.feature]).astype(np.float64)
        else:
            codes, names = categories(people[c.feature])
            feeds[input_name(c.feature)] = np.array([*names, MISSING], dtype=object)[codes]
    return feeds


class _Graph:
    """Nodes and constants under construction, with fresh names."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, value: NDArray[Any]) -> str:
        with needs("export"):
            from onnx import numpy_helper

        name = f"constant.{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def node(self, operator: str, inputs: list[str], output: str | None = None, **attributes: Any) -> str:
        with needs("export"):
            from onnx import helper

        name = output or f"value.{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name


def _number_bin(graph: _Graph, c: Characteristic) -> tuple[str, str]:
    """Names of the bin and of whether the value can be scored."""
    with needs("export"):
        from onnx import TensorProto

    name = input_name(c.feature)
    missing = graph.node("IsNaN", [name])
    infinite = graph.node("IsInf", [name])
    column = graph.node("Unsqueeze", [name, graph.constant(np.array([1]))])
    edges = graph.constant(np.array([[*c.edges, np.inf]]))  # the last keeps the table from being empty
    reached = graph.node("Cast", [graph.node("GreaterOrEqual", [column, edges])], to=TensorProto.INT64)
    place = graph.node("ReduceSum", [reached, graph.constant(np.array([1]))], keepdims=0)
    last = graph.constant(np.array(c.n_bins - 1))
    return graph.node("Where", [missing, last, place]), graph.node("Not", [infinite])


def _category_bin(graph: _Graph, c: Characteristic) -> tuple[str, str]:
    """Names of the bin and of whether the card scores the category."""
    bins = {name: k for k, group in enumerate(c.groups or ()) for name in group}
    keys, values = [*bins, MISSING], [*bins.values(), c.n_bins - 1]
    rest = -1 if c.other is None else c.other
    coding: dict[str, Any] = {"keys_strings": keys, "values_int64s": values, "default_int64": rest}
    name = graph.node("LabelEncoder", [input_name(c.feature)], domain="ai.onnx.ml", **coding)
    known = graph.node("GreaterOrEqual", [name, graph.constant(np.array(0))])
    return graph.node("Max", [name, graph.constant(np.array(0))]), known
