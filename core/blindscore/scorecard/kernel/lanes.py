"""The kernel's inner loops: sixteen people at a time, four features a pass, written for the vector unit.

Three ways to find the points of sixteen values x at once, all without a branch:

- *compare*: add ``delta_k`` wherever ``x >= edge_k``, one comparison an edge; any processor;
- *halve*: of three edges, the middle one, then the one that its outcome picks;
- *permute*: the same for more edges. Sixteen edges, or sixteen points, fill one 512-bit register, and a register
  permute reads sixteen of its entries at once, so 15 edges take 4 comparisons. Needs AVX-512.

Each pass asks for the memory of the next one while it works, because the hardware's own prefetcher starts afresh with
every column of every block. It asks for it in the second-level cache, which keeps more requests under way than the
first does: on a Zen 4 core the first level's 24 lines at 100 ns would cap reading at 15 GB/s.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import config, types
from numba.core import cgutils, codegen
from numba.extending import intrinsic

from blindscore.kernel_cache import njit

LANES = 16
GROUP = 4  # features a pass
LINE = 64  # bytes that memory hands out at a time
SLOTS = 48  # table entries a feature holds: three edges and two search tables of 16 lanes, or up to 15 edges
BLOCK = 8192  # people a block: four columns of a block, the next four, and the totals stay in the second-level cache
TILE_ROWS = 128  # rows turned at a time: they and their turned copy stay in the first-level cache
SIZES = (3, 7, 15)  # edges that a loop is specialised to
NOT_FINITE = 0x99  # vfpclassps: quiet NaN, both infinities, signalling NaN

# llvmlite, as numba itself uses it
ir, binding = cgutils.ir, codegen.ll
_INT32, _INT64 = ir.IntType(32), ir.IntType(64)
_INTS, _TRUTHS = ir.VectorType(_INT32, LANES), ir.VectorType(ir.IntType(1), LANES)


def can_permute() -> bool:
    """Whether code compiled here may use 512-bit register permutes."""
    if config.CPU_NAME or config.CPU_FEATURES:
        return False  # numba compiles for a named processor, not for this one
    features = binding.get_host_cpu_features()
    return all(features.get(name, False) for name in ("avx512f", "avx512dq"))


PERMUTE = can_permute()


def search_steps(n_edges: int) -> list[tuple[int, int]]:
    """Comparisons of a binary search over `n_edges` = 2^k - 1 edges: (bit of the place, bins skipped), first to last.

    A place is the sum of the bits of the comparisons that x reached; 15 -> [(1, 8), (2, 4), (4, 2), (8, 1)]. Bit 1 is
    spared where it can be, because the compiler turns it into two instructions where a masked one would do.
    """
    levels = (n_edges + 1).bit_length() - 1
    return [(1 << (k + (levels < 4)), 1 << (levels - 1 - k)) for k in range(levels)]


def permutes(n_edges: int, wide: bool) -> bool:
    """Whether a loop searches by permutes: where it is faster, that is for more than 3 edges of float32."""
    return PERMUTE and n_edges > 3 and not wide


def _prefetch(builder: Any) -> Callable[[Any], Any]:
    """Return what writes a request for the line at an address, into the second-level cache."""
    byte = ir.IntType(8).as_pointer()
    kind = ir.FunctionType(ir.VoidType(), [byte, _INT32, _INT32, _INT32])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    hints = [ir.Constant(_INT32, hint) for hint in (0, 2, 1)]  # read, level 2, data
    return lambda address: builder.call(function, [builder.inttoptr(address, byte), *hints])


def _make_pass(n_edges: int, wide: bool) -> Any:
    """Return the compiled loop that adds the points of four features.

    It takes addresses: of four column addresses, of the four columns needed next, of the four features' tables (edges,
    points, missing points), of the totals; then the number of sixteens, and the address of a flag
    for infinities, which a signalling NaN raises as well.
    """

    @intrinsic  # type: ignore[untyped-decorator]
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
    classes = function("llvm.x86.avx512.fpclass.ps.512", _TRUTHS, vector, _INT32) if PERMUTE and not wide else None
    prefetch = _prefetch(builder)
    bits = ir.VectorType(_INT64 if wide else _INT32, LANES)
    positive, infinity, quiet = ((1 << 63) - 1, 0x7FF << 52, 1 << 51) if wide else ((1 << 31) - 1, 0xFF << 23, 1 << 22)
    steps = search_steps(n_edges)

    def constant(value: int, kind: Any = _INTS) -> Any:
        return ir.Constant(kind, [value] * LANES)

    here = [load(columns, 8 * f, _INT64, 8) for f in range(GROUP)]
    ahead = [load(following, 8 * f, _INT64, 8) for f in range(GROUP)]
    lost = [spread(load(missing, 4 * f, _INT32, 4), _INTS) for f in range(GROUP)]
    scalars = range(3 if permute else n_edges)
    singles = [
        [spread(load(edges, size * (SLOTS * f + k), number, size), vector) for k in scalars] for f in range(GROUP)
    ]
    if permute:
        later = range(1, len(steps) - 1)
        tables = [[load(edges, size * (SLOTS * f + LANES * s), vector, 4) for s in later] for f in range(GROUP)]
        worth = [load(points, 4 * LANES * f, _INTS, 4) for f in range(GROUP)]
    else:
        gains = [[spread(load(points, 4 * (LANES * f + k), _INT32, 4), _INTS) for k in scalars] for f in range(GROUP)]
    common = cgutils.alloca_once_value(builder, constant(-1, bits))

    def add_where(total: Any, reached: Any, gain: Any) -> Any:
        return builder.add(total, builder.select(reached, gain, constant(0)))

    def compare(x: Any, f: Any, total: Any) -> Any:
        for edge, gain in zip(singles[f], gains[f], strict=True):
            total = add_where(total, builder.fcmp_ordered(">=", x, edge), gain)
        return total

    def halve(x: Any, f: Any, total: Any) -> Any:
        (low, middle, high), (first, second, third) = singles[f], gains[f]
        upper = builder.fcmp_ordered(">=", x, middle)
        further = builder.fcmp_ordered(">=", x, builder.select(upper, high, low))
        total = add_where(total, upper, builder.add(first, second))
        return add_where(total, further, builder.select(upper, third, first))

    def search(x: Any, f: Any) -> Any:
        low, middle, high = singles[f]
        reached = builder.fcmp_ordered(">=", x, middle)
        place, edge = builder.select(reached, constant(steps[0][0]), constant(0)), builder.select(reached, high, low)
        for (bit, _), table in zip(steps[1:], [*tables[f], None], strict=True):
            reached = builder.fcmp_ordered(">=", x, edge)
            place = builder.or_(place, builder.select(reached, constant(bit), constant(0)))
            if table is not None:
                edge = builder.call(permute_numbers, [table, place])
        return builder.call(permute_ints, [worth[f], place])

    def not_finite(x: Any, pattern: Any) -> Any:
        if classes is not None:
            return builder.call(classes, [x, ir.Constant(_INT32, NOT_FINITE)])
        return builder.icmp_unsigned(">=", builder.and_(pattern, constant(positive, bits)), constant(infinity, bits))

    with cgutils.for_range(builder, sixteens) as loop:
        offset = builder.mul(loop.index, ir.Constant(_INT64, LANES * size))
        place = pointer(totals, builder.mul(loop.index, ir.Constant(_INT64, LANES * 4)), _INTS)
        total = builder.load(place)
        total.align = 4
        shared = builder.load(common)
        for f in range(GROUP):
            prefetch(builder.add(ahead[f], offset))
            x = load(here[f], offset, vector, size)
            pattern = builder.bitcast(x, bits)
            odd = not_finite(x, pattern)
            shared = builder.and_(shared, builder.select(odd, pattern, constant(-1, bits)))
            if permute:
                total = builder.add(total, builder.select(odd, lost[f], search(x, f)))
            else:
                found = halve(x, f, total) if n_edges == 3 else compare(x, f, total)
                total = add_where(found, odd, lost[f])  # no comparison holds for NaN
        builder.store(shared, common)
        builder.store(total, place).align = 4
    # Quiet NaNs share the quiet bit, and infinities lack it. Signalling NaNs lack it too: the flag means "look again".
    lacking = builder.icmp_unsigned("==", builder.and_(builder.load(common), constant(quiet, bits)), constant(0, bits))
    spotted = builder.bitcast(lacking, ir.IntType(LANES))
    old = load(flag, 0, _INT64, 8)
    builder.store(builder.or_(old, builder.zext(spotted, _INT64)), pointer(flag, 0, _INT64))


@intrinsic  # type: ignore[untyped-decorator]
def _copy(typing_context: Any, target: Any, source: Any, n_bytes: Any) -> Any:
    """Copy bytes from one address to another."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, source, n_bytes = arguments
        byte = ir.IntType(8).as_pointer()
        cgutils.raw_memcpy(builder, builder.inttoptr(target, byte), builder.inttoptr(source, byte), n_bytes, 1)
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def _turn(
    typing_context: Any, source: Any, row_bytes: Any, target: Any, column_bytes: Any, sixteens: Any, ahead: Any
) -> Any:
    """Turn four float32 columns of a row-major table on their side, sixteen rows at a time.

    Four rows fill a register; two rounds of in-lane shuffles then put four values of each column side by side. As many
    bytes as it reads are asked for from `ahead` on, for later.
    """
    number = ir.FloatType()
    four, full = ir.VectorType(number, 4), ir.VectorType(number, LANES)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, row_bytes, target, column_bytes, sixteens, ahead = arguments
        prefetch = _prefetch(builder)

        def mix(a: Any, b: Any, places: list[int]) -> Any:
            return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_INT32, len(places)), places))

        def in_lanes(a: Any, b: Any, places: list[int]) -> Any:
            """Shuffle within each lane of four; places 4..7 mean b's."""
            return mix(a, b, [4 * lane + p % 4 + LANES * (p // 4) for lane in range(4) for p in places])

        with cgutils.for_range(builder, sixteens) as loop:
            first = builder.mul(loop.index, ir.Constant(_INT64, LANES))
            part = builder.add(ahead, builder.mul(loop.index, ir.Constant(_INT64, LANES * LANES)))
            for line in range(0, LANES * LANES, LINE):
                prefetch(builder.add(part, ir.Constant(_INT64, line)))
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

    return types.void(*[types.intp] * 6), generate


_add_3, _add_7, _add_15 = (_make_pass(n, wide=False) for n in SIZES)
_wide_3, _wide_7, _wide_15 = (_make_pass(n, wide=True) for n in SIZES)


@njit(cache=True, nogil=True)
def _clip(totals: Any, low: Any, high: Any, out: Any) -> None:
    """Write the totals, kept within the scale; all in 32 bits, so that sixteen fit a register."""
    for i in range(totals.size):
        out[i] = min(max(totals[i], low), high)


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
def _score_few(
    narrow: Any, wide: Any, start: Any, low: Any, high: Any, out: Any, first: Any, n: Any,
    edge32: Any, edge64: Any, at32: Any, at64: Any, totals: Any, flag: Any, here: Any, soon: Any,
) -> None:  # fmt: skip
    """Score `n` < LANES people from `first` on, through a copy, so that nothing is read beyond the end of a column.

    edge32, edge64 : (d, LANES), at32, at64 : (d,) int64, and what follows them: scratch, as for the other loops
    """
    for j in range(at32.size):
        at32[j] = edge32.ctypes.data + j * LANES * 4
        _copy(at32[j], narrow[0][j] + first * 4, n * 4)
    for j in range(at64.size):
        at64[j] = edge64.ctypes.data + j * LANES * 8
        _copy(at64[j], wide[0][j] + first * 8, n * 8)
    totals[:LANES] = start
    _add_groups(at32, 0, 0, 4, *narrow[1:], totals.ctypes.data, 1, flag, here, soon)
    _add_groups(at64, 0, 0, 8, *wide[1:], totals.ctypes.data, 1, flag, here, soon)
    _clip(totals[:n], np.int32(low), np.int32(high), out[first : first + n])


@njit(cache=True, nogil=True)
def score_blocks(narrow: Any, wide: Any, start: Any, low: Any, high: Any, out: Any, begin: Any, end: Any) -> Any:
    """Score people `begin` to `end` (one past the last) into `out`; return whether an infinity may have been seen.

    narrow, wide : (addresses (d,) int64, kinds, edges, points, missing) of the float32 and of the float64 features,
        d a multiple of four, as :class:`~blindscore.scorecard.kernel.kernels.Program` lays them out
    out : (n,) int16
    """
    if begin >= end:
        return False
    totals, flag = np.empty(BLOCK, np.int32), np.zeros(1, np.int64)
    here, soon = np.empty(GROUP, np.int64), np.empty(GROUP, np.int64)
    edge32, edge64 = np.zeros((narrow[0].size, LANES), np.float32), np.zeros((wide[0].size, LANES), np.float64)
    at32, at64 = np.empty(narrow[0].size, np.int64), np.empty(wide[0].size, np.int64)
    few = edge32, edge64, at32, at64, totals, flag, here, soon
    # Loads that cross from one line of memory into the next cost a tenth; columns of one table mostly start alike.
    column, size = (narrow[0][0], 4) if narrow[0].size else (wide[0][0], 8)
    lead = min((-(column + begin * size) % LINE) // size, end - begin)
    if lead:
        _score_few(narrow, wide, start, low, high, out, begin, lead, *few)
    for first in range(begin + lead, end, BLOCK):
        n = min(BLOCK, end - first)
        sixteens, rest = n // LANES, n % LANES
        whole = n - rest
        totals[:] = start
        _add_groups(narrow[0], first * 4, BLOCK * 4, 4, *narrow[1:], totals.ctypes.data, sixteens, flag, here, soon)
        _add_groups(wide[0], first * 8, BLOCK * 8, 8, *wide[1:], totals.ctypes.data, sixteens, flag, here, soon)
        _clip(totals[:whole], np.int32(low), np.int32(high), out[first : first + whole])
        if rest:
            _score_few(narrow, wide, start, low, high, out, first + whole, rest, *few)
    return flag[0] != 0


@njit(cache=True, nogil=True)
def score_tiles(
    table: Any, order: Any, program: Any, size: Any, start: Any, low: Any, high: Any, out: Any, begin: Any, end: Any
) -> Any:
    """Score rows `begin` to `end` of a row-major table into `out`; return whether an infinity may have been seen.

    table : (n, d) float32 or float64; order : column of each feature, its length a multiple of four
    program : (kinds, edges, points, missing); size : bytes of a number
    Blocks are turned on their side first; the odd tile width keeps columns off one another's cache sets.
    """
    d, tile_rows = table.shape[1], TILE_ROWS
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
            # Of the next tile, a part as large.
            later = table.ctypes.data + ((first + tile_rows) * d + c * turned) * size
            _turn(source, d * size, tile.ctypes.data + c * stride, stride, turned // LANES, later)
        for i in range(n):  # what does not fill a register: the last rows, and the last columns of all rows
            for c in range(fours if i < turned else 0, d):
                tile[c, i] = table[first + i, c]
        sixteens = (n + LANES - 1) // LANES
        tile[:, n : sixteens * LANES] = 0  # nothing stale may raise the flag
        totals[:] = start
        _add_groups(at, 0, 0, size, *program, totals.ctypes.data, sixteens, flag, here, soon)
        _clip(totals[:n], np.int32(low), np.int32(high), out[first : first + n])
    return flag[0] != 0
