"""The kernel's inner loops: sixteen people at a time, four features a pass, written for the vector unit.

Two ways to find the points of sixteen values x at once, both without a branch:

- *compare*: add ``delta_k`` wherever ``x >= edge_k``, one comparison an edge; any processor;
- *permute*: binary search in registers. Sixteen edges, or sixteen points, fill one 512-bit register, and a register
  permute reads sixteen of its entries at once, so 15 edges take 4 comparisons. Needs AVX-512.

Each pass asks for the memory of the next one while it works, because the hardware's own prefetcher starts afresh with
every column of every block.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import config, njit, types
from numba.core import cgutils, codegen
from numba.extending import intrinsic

LANES = 16
GROUP = 4  # features a pass
SLOTS = 64  # table entries a feature holds: up to 4 search steps of 16 lanes, or up to 15 edges
BLOCK = 1024  # people a block: four columns of a block, the next four, and the totals stay in the first-level cache
SIZES = (3, 7, 15)  # edges that a loop is specialised to

# llvmlite, as numba itself uses it
ir, binding = cgutils.ir, codegen.ll
_INT32, _INT64 = ir.IntType(32), ir.IntType(64)
_INTS = ir.VectorType(_INT32, LANES)


def can_permute() -> bool:
    """Whether code compiled here may use 512-bit register permutes."""
    if config.CPU_NAME or config.CPU_FEATURES:
        return False  # numba compiles for a named processor, not for this one
    return bool(binding.get_host_cpu_features().get("avx512f", False))


PERMUTE = can_permute()


def search_steps(n_edges: int) -> list[int]:
    """Bins skipped at each step of a binary search over `n_edges` = 2^k - 1 edges: 15 -> [8, 4, 2, 1]."""
    return [1 << k for k in reversed(range((n_edges + 1).bit_length() - 1))]


def permutes(n_edges: int, wide: bool) -> bool:
    """Whether a loop searches by permutes: where it is faster, that is for more than 3 edges of float32."""
    return PERMUTE and n_edges > 3 and not wide


def _make_pass(n_edges: int, wide: bool) -> Any:
    """Return the compiled loop that adds the points of four features.

    It takes addresses: of four column addresses, of the four columns needed next, of the four features' tables (edges,
    points, missing points), of the totals; then the number of sixteens, and the address of a flag for infinities.
    """

    @intrinsic
    def add_four(
        typing_context: Any,
        columns: Any,
        following: Any,
        edges: Any,
        points: Any,
        missing: Any,
        totals: Any,
        sixteens: Any,
        flag: Any,
    ) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            _emit_loop(builder, n_edges, wide, *arguments)
            return context.get_dummy_value()

        return types.void(*[types.intp] * 8), generate

    return add_four


def _emit_loop(
    builder: Any,
    n_edges: int,
    wide: bool,
    columns: Any,
    following: Any,
    edges: Any,
    points: Any,
    missing: Any,
    totals: Any,
    sixteens: Any,
    flag: Any,
) -> None:
    """Write the loop in LLVM's language; the arguments are those of the pass."""
    number, size = (ir.DoubleType(), 8) if wide else (ir.FloatType(), 4)
    vector, permute = ir.VectorType(number, LANES), permutes(n_edges, wide)

    def pointer(address: Any, offset: Any, kind: Any) -> Any:
        step = offset if isinstance(offset, ir.Value) else ir.Constant(_INT64, offset)
        return builder.inttoptr(builder.add(address, step), kind.as_pointer())

    def load(address: Any, offset: Any, kind: Any, align: Any) -> Any:
        value = builder.load(pointer(address, offset, kind))
        value.align = align
        return value

    def spread(scalar: Any, kind: Any) -> Any:
        nothing = ir.Constant(kind, ir.Undefined)
        first = builder.insert_element(nothing, scalar, ir.Constant(_INT32, 0))
        return builder.shuffle_vector(first, nothing, ir.Constant(_INTS, [0] * LANES))

    def function(name: Any, result: Any, *kinds: Any) -> Any:
        return cgutils.get_or_insert_function(builder.module, ir.FunctionType(result, kinds), name)

    permute_numbers = function("llvm.x86.avx512.permvar.sf.512", vector, vector, _INTS) if permute else None
    permute_ints = function("llvm.x86.avx512.permvar.si.512", _INTS, _INTS, _INTS) if permute else None
    prefetch = function("llvm.prefetch.p0", ir.VoidType(), ir.IntType(8).as_pointer(), _INT32, _INT32, _INT32)
    bits = ir.VectorType(_INT64 if wide else _INT32, LANES)
    positive, infinity = ((1 << 63) - 1, 0x7FF << 52) if wide else ((1 << 31) - 1, 0xFF << 23)
    zero = ir.Constant(_INTS, [0] * LANES)
    steps = search_steps(n_edges)

    here = [load(columns, 8 * f, _INT64, 8) for f in range(GROUP)]
    ahead = [load(following, 8 * f, _INT64, 8) for f in range(GROUP)]
    lost = [spread(load(missing, 4 * f, _INT32, 4), _INTS) for f in range(GROUP)]
    if permute:
        tables = [[load(edges, size * (SLOTS * f + LANES * s), vector, 4) for s in range(len(steps))] for f in range(4)]
        gains = [load(points, 4 * LANES * f, _INTS, 4) for f in range(GROUP)]
    else:
        tables = [
            [spread(load(edges, size * (SLOTS * f + k), number, size), vector) for k in range(n_edges)]
            for f in range(GROUP)
        ]
        gains = [
            [spread(load(points, 4 * (LANES * f + k), _INT32, 4), _INTS) for k in range(n_edges)] for f in range(GROUP)
        ]
    nearest = cgutils.alloca_once_value(builder, ir.Constant(bits, [positive] * LANES))

    def compare(x: Any, f: Any) -> Any:
        total = zero
        for edge, gain in zip(tables[f], gains[f], strict=True):
            reached = builder.fcmp_ordered(">=", x, edge)
            total = builder.add(total, builder.select(reached, gain, zero))
        return total

    def search(x: Any, f: Any) -> Any:
        place = zero
        for s, skipped in enumerate(steps):
            edge = builder.call(permute_numbers, [tables[f][s], place]) if s else tables[f][0]
            further = builder.or_(place, ir.Constant(_INTS, [skipped] * LANES))
            place = builder.select(builder.fcmp_ordered(">=", x, edge), further, place)
        return builder.call(permute_ints, [gains[f], place])

    with cgutils.for_range(builder, sixteens) as loop:
        offset = builder.mul(loop.index, ir.Constant(_INT64, LANES * size))
        place = pointer(totals, builder.mul(loop.index, ir.Constant(_INT64, LANES * 4)), _INTS)
        total = builder.load(place)
        total.align = 4
        least = builder.load(nearest)
        for f in range(GROUP):
            soon = pointer(ahead[f], offset, ir.IntType(8))
            builder.call(prefetch, [soon, *(ir.Constant(_INT32, hint) for hint in (0, 3, 1))])  # read, keep, data
            x = load(here[f], offset, vector, size)
            gained = search(x, f) if permute else compare(x, f)
            total = builder.add(total, builder.select(builder.fcmp_unordered("uno", x, x), lost[f], gained))
            # Zero iff x is infinite; integers, because comparisons keep the floating-point units busy enough.
            apart = builder.and_(builder.bitcast(x, bits), ir.Constant(bits, [positive] * LANES))
            apart = builder.xor(apart, ir.Constant(bits, [infinity] * LANES))
            least = builder.select(builder.icmp_unsigned("<", apart, least), apart, least)
        builder.store(least, nearest)
        builder.store(total, place).align = 4
    infinite = builder.icmp_unsigned("==", builder.load(nearest), ir.Constant(bits, [0] * LANES))
    spotted = builder.bitcast(infinite, ir.IntType(LANES))
    old = load(flag, 0, _INT64, 8)
    builder.store(builder.or_(old, builder.zext(spotted, _INT64)), pointer(flag, 0, _INT64))


@intrinsic
def _copy(typing_context: Any, target: Any, source: Any, n_bytes: Any) -> Any:
    """Copy bytes from one address to another."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, source, n_bytes = arguments
        byte = ir.IntType(8).as_pointer()
        cgutils.raw_memcpy(builder, builder.inttoptr(target, byte), builder.inttoptr(source, byte), n_bytes, 1)
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, types.intp), generate


@intrinsic
def _turn(typing_context: Any, source: Any, row_bytes: Any, target: Any, column_bytes: Any, sixteens: Any) -> Any:
    """Turn four float32 columns of a row-major table on their side, sixteen rows at a time.

    Four rows fill a register; two rounds of in-lane shuffles then put four values of each column side by side.
    """
    number = ir.FloatType()
    four, full = ir.VectorType(number, 4), ir.VectorType(number, LANES)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, row_bytes, target, column_bytes, sixteens = arguments

        def mix(a: Any, b: Any, places: list[int]) -> Any:
            return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_INT32, len(places)), places))

        def in_lanes(a: Any, b: Any, places: list[int]) -> Any:
            """Shuffle within each lane of four; places 4..7 mean b's."""
            return mix(a, b, [4 * lane + p % 4 + LANES * (p // 4) for lane in range(4) for p in places])

        with cgutils.for_range(builder, sixteens) as loop:
            first = builder.mul(loop.index, ir.Constant(_INT64, LANES))
            rows = []
            for i in range(4):
                parts = []
                for lane in range(4):
                    row = builder.add(first, ir.Constant(_INT64, 4 * lane + i))
                    place = builder.add(source, builder.mul(row, row_bytes))
                    part = builder.load(builder.inttoptr(place, four.as_pointer()))
                    part.align = 4
                    parts.append(part)
                halves = [mix(a, b, list(range(8))) for a, b in (parts[:2], parts[2:])]
                rows.append(mix(halves[0], halves[1], list(range(LANES))))
            low = [in_lanes(rows[i], rows[i + 1], [0, 4, 1, 5]) for i in (0, 2)]
            high = [in_lanes(rows[i], rows[i + 1], [2, 6, 3, 7]) for i in (0, 2)]
            columns = [in_lanes(a, b, places) for a, b in (low, high) for places in ([0, 1, 4, 5], [2, 3, 6, 7])]
            for c, column in enumerate(columns):
                place = builder.add(target, builder.mul(column_bytes, ir.Constant(_INT64, c)))
                place = builder.add(place, builder.mul(first, ir.Constant(_INT64, 4)))
                builder.store(column, builder.inttoptr(place, full.as_pointer())).align = 4
        return context.get_dummy_value()

    return types.void(*[types.intp] * 5), generate


_add_3, _add_7, _add_15 = (_make_pass(n, wide=False) for n in SIZES)
_wide_3, _wide_7, _wide_15 = (_make_pass(n, wide=True) for n in SIZES)


@njit(cache=True, nogil=True)
def _add_groups(
    at: Any,
    shift: Any,
    ahead: Any,
    size: Any,
    kinds: Any,
    edges: Any,
    points: Any,
    missing: Any,
    totals: Any,
    sixteens: Any,
    flag: Any,
    here: Any,
    soon: Any,
) -> None:
    """Add all features of one width to the totals; `at` holds a column's address a feature, `shift` bytes into it.

    here, soon : (GROUP,) int64, scratch that is handed in, because making it takes as long as scoring a hundred people
    """
    for g in range(kinds.size):
        for f in range(GROUP):
            here[f] = at[GROUP * g + f] + shift
            last = g + 1 == kinds.size  # then the next pass reads the first features of the next block
            soon[f] = at[f] + shift + ahead if last else at[GROUP * (g + 1) + f] + shift
        h, s, t = here.ctypes.data, soon.ctypes.data, totals
        e, p = edges.ctypes.data + g * GROUP * SLOTS * size, points.ctypes.data + g * GROUP * LANES * 4
        m, z = missing.ctypes.data + g * GROUP * 4, flag.ctypes.data
        if size == 4:
            if kinds[g] == 3:
                _add_3(h, s, e, p, m, t, sixteens, z)
            elif kinds[g] == 7:
                _add_7(h, s, e, p, m, t, sixteens, z)
            else:
                _add_15(h, s, e, p, m, t, sixteens, z)
        elif kinds[g] == 3:
            _wide_3(h, s, e, p, m, t, sixteens, z)
        elif kinds[g] == 7:
            _wide_7(h, s, e, p, m, t, sixteens, z)
        else:
            _wide_15(h, s, e, p, m, t, sixteens, z)


@njit(cache=True, nogil=True)
def score_blocks(narrow: Any, wide: Any, start: Any, low: Any, high: Any, out: Any, begin: Any, end: Any) -> Any:
    """Score people `begin` to `end` (one past the last) into `out`; return whether an infinity was seen.

    narrow, wide : (addresses (d,) int64, kinds, edges, points, missing) of the float32 and of the float64 features,
        d a multiple of four, as :class:`~blindscore.scorecard.kernels.Program` lays them out
    out : (n,) int16
    """
    totals, flag = np.empty(BLOCK, np.int32), np.zeros(1, np.int64)
    here, soon = np.empty(GROUP, np.int64), np.empty(GROUP, np.int64)
    edge32, edge64 = np.zeros((narrow[0].size, LANES), np.float32), np.zeros((wide[0].size, LANES), np.float64)
    pad32, pad64 = np.empty(narrow[0].size, np.int64), np.empty(wide[0].size, np.int64)
    for first in range(begin, end, BLOCK):
        n = min(BLOCK, end - first)
        sixteens, rest = n // LANES, n % LANES
        totals[:] = start
        _add_groups(narrow[0], first * 4, BLOCK * 4, 4, *narrow[1:], totals.ctypes.data, sixteens, flag, here, soon)
        _add_groups(wide[0], first * 8, BLOCK * 8, 8, *wide[1:], totals.ctypes.data, sixteens, flag, here, soon)
        if rest:  # the last few people go through a copy, so that nothing is read beyond the end of a column
            past = first + LANES * sixteens
            for j in range(pad32.size):
                pad32[j] = edge32.ctypes.data + j * LANES * 4
                _copy(pad32[j], narrow[0][j] + past * 4, rest * 4)
            for j in range(pad64.size):
                pad64[j] = edge64.ctypes.data + j * LANES * 8
                _copy(pad64[j], wide[0][j] + past * 8, rest * 8)
            there = totals.ctypes.data + LANES * sixteens * 4
            _add_groups(pad32, 0, 0, 4, *narrow[1:], there, 1, flag, here, soon)
            _add_groups(pad64, 0, 0, 8, *wide[1:], there, 1, flag, here, soon)
        for i in range(n):
            out[first + i] = min(max(totals[i], low), high)
    return flag[0] != 0


@njit(cache=True, nogil=True)
def score_tiles(
    table: Any, order: Any, program: Any, size: Any, start: Any, low: Any, high: Any, out: Any, begin: Any, end: Any
) -> Any:
    """Score rows `begin` to `end` of a row-major table into `out`; return whether an infinity was seen.

    table : (n, d) float32 or float64; order : column of each feature, its length a multiple of four
    program : (kinds, edges, points, missing); size : bytes of a number
    Blocks are turned on their side first; the odd tile width keeps columns off one another's cache sets.
    """
    d, tile_rows = table.shape[1], 256
    totals, flag = np.empty(tile_rows, np.int32), np.zeros(1, np.int64)
    here, soon = np.empty(GROUP, np.int64), np.empty(GROUP, np.int64)
    tile = np.zeros((d, tile_rows + LANES), table.dtype)
    stride = tile.shape[1] * size
    at = np.empty(order.size, np.int64)
    for j in range(order.size):
        at[j] = tile.ctypes.data + order[j] * stride
    for first in range(begin, end, tile_rows):
        n = min(tile_rows, end - first)
        turned, fours = (n - n % LANES, d - d % 4) if size == 4 else (0, 0)
        for c in range(0, fours, 4):
            source = table.ctypes.data + (first * d + c) * size
            _turn(source, d * size, tile.ctypes.data + c * stride, stride, turned // LANES)
        for i in range(n):  # what does not fill a register: the last rows, and the last columns of all rows
            for c in range(fours if i < turned else 0, d):
                tile[c, i] = table[first + i, c]
        sixteens = (n + LANES - 1) // LANES
        tile[:, n : sixteens * LANES] = 0  # nothing stale may raise the flag
        totals[:] = start
        _add_groups(at, 0, 0, size, *program, totals.ctypes.data, sixteens, flag, here, soon)
        for i in range(n):
            out[first + i] = min(max(totals[i], low), high)
    return flag[0] != 0
