"""The small changes that a mutation run makes to a file, one at a time."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

TURNED: dict[type[ast.cmpop], str] = {
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Is: "is not",
    ast.IsNot: "is",
    ast.In: "not in",
    ast.NotIn: "in",
}
SIGNS: dict[type[ast.operator], str] = {ast.Add: "-", ast.Sub: "+", ast.Mult: "//", ast.FloorDiv: "*"}


@dataclass(frozen=True)
class Mutant:
    file: str
    line: int
    was: str
    becomes: str
    source: str  # of the whole file


def mutants(file: str, source: str) -> Iterator[Mutant]:
    """Every small change of the file, in its order."""
    lines = [line.encode() for line in source.splitlines(keepends=True)]
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    whole = source.encode()

    def place(node: ast.expr | ast.stmt) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset

    def changed(node: ast.expr | ast.stmt, becomes: str) -> Mutant:
        start, end = place(node)
        return Mutant(
            file,
            node.lineno,
            whole[start:end].decode(),
            becomes,
            (whole[:start] + becomes.encode() + whole[end:]).decode(),
        )

    def text(node: ast.expr) -> str:
        start, end = place(node)
        return f"({whole[start:end].decode()})"

    tree = ast.parse(source)
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
    for node in sorted(
        (one for one in ast.walk(tree) if isinstance(one, ast.expr | ast.stmt)),
        key=lambda one: (one.lineno, one.col_offset),
    ):
        match node:
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in TURNED:
                yield changed(node, f"({text(left)} {TURNED[type(op)]} {text(right)})")
            case ast.Compare(left=left, ops=[first, second], comparators=[middle, right]):
                as_it_is = [f"({ast.unparse(ast.Compare(left, [first], [middle]))})"]
                as_it_is.append(f"({ast.unparse(ast.Compare(middle, [second], [right]))})")
                yield changed(node, f"({text(left)} {TURNED[type(first)]} {text(middle)} and {as_it_is[1]})")
                yield changed(node, f"({as_it_is[0]} and {text(middle)} {TURNED[type(second)]} {text(right)})")
            case ast.BoolOp(op=op, values=values):
                yield changed(
                    node, "(" + (" or " if isinstance(op, ast.And) else " and ").join(map(text, values)) + ")"
                )
                for left_out in values if len(values) > 1 else []:
                    kept = [text(value) for value in values if value is not left_out]
                    yield changed(node, "(" + (" and " if isinstance(op, ast.And) else " or ").join(kept) + ")")
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                yield changed(node, text(operand))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in SIGNS and not _is_text(left, right):
                yield changed(node, f"({text(left)} {SIGNS[type(op)]} {text(right)})")
            case ast.Constant(value=bool() as value) if id(node) not in said:
                yield changed(node, str(not value))
            case ast.Constant(value=int() as value) if id(node) not in said:
                yield changed(node, str(value + 1))
            case ast.Raise() | ast.Expr(value=ast.Call() | ast.Await()):
                yield changed(node, "pass")
            case ast.If(test=ast.Call() | ast.Name() | ast.Attribute() as test):
                yield changed(test, f"(not {text(test)})")


def _is_text(*nodes: ast.expr) -> bool:
    """Texts have no minus; such a mutant fails for another reason."""
    return any(
        isinstance(node, ast.JoinedStr) or isinstance(getattr(node, "value", None), str | bytes) for node in nodes
    )
