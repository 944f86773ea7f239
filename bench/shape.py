"""Prints figures about the code: sizes, complexity, names, docstrings, and the files that a change touches.

    python -m bench.shape [--list] [ROOT]

One column a package. `--list` names the functions above the limits, the names used twice and the sources
that lead nowhere. `tests/architecture/test_shape.py` keeps each figure from getting worse.
Complexity is radon's: branches, loops, boolean operators and the conditions inside comprehensions.
"""

from __future__ import annotations

import ast
import re
import statistics
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

from radon.complexity import cc_visit_ast
from radon.visitors import Class, Function

PACKAGES = ("core", "core/complaints", "server", "tui")
"""Packages measured. `core/complaints` is also part of `core`; its limit differs."""

COMMON_NAMES = {"app", "base", "models", "service", "views", "__init__", "__main__"}
"""Module names that mean the same in every folder."""

RESOURCE_FOLDERS = {"schemas", "endpoints", "client", "commands", "screens"}
"""Folders whose files bear the name of one resource on purpose."""

HIGH = 10  # complexity above which a function is counted
TOO_HIGH = 15  # complexity that no function may exceed
MANY_PARAMETERS = 3  # parameters from which a docstring explains each one
COMPREHENSIONS = 1  # in a statement that is easily read
BOOLEANS = 2  # `and` and `or` in such a statement
QUESTION = re.compile(r"(?:Whether|What|Who|Whom|Whose|How|Where|When|Why|Which)\b")
"""Words with which no docstring begins: a verb says what is done, a noun what a thing is."""

MARKS = {
    "a patient field": re.compile(r"\bfamily_card_number\b"),
    "a report": re.compile(r"top-diagnoses|\btop_diagnoses\b"),
    "a queue action": re.compile(r"\bprioritise\b|\bPRIORITISE\b"),
    "a third language": re.compile(r"""["']en["']|_en\b"""),
}
"""Change -> pattern of the files that it touches, taken from an existing one of its kind."""

ENTRANCES = {"get", "post", "put", "patch", "delete", "command", "callback", "middleware"}
"""Decorators of endpoints and commands; the annotations of their parameters are their documentation."""

DOCUMENTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)
"""Nodes that have a docstring."""

SOURCE = re.compile(r"(?<![\w/.-])((?:[\w-]+/)*[\w-]+\.md)\b")
"""A page cited in a docstring or a comment."""


@dataclass
class Package:
    """The modules of one folder, measured when a figure is asked for."""

    root: Path
    folder: str
    files: list[Path] = field(init=False)

    def __post_init__(self) -> None:
        """Find the modules; numbered migrations are frozen and left out."""
        found = sorted((self.root / self.folder).rglob("*.py"))
        self.files = [file for file in found if not re.search(r"migrations/\d", str(file))]

    @cached_property
    def functions(self) -> list[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef]]:
        """Every function and method with its module."""
        return [
            (file, node)
            for file in self.files
            for node in _nodes(file)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        ]

    @cached_property
    def complexities(self) -> list[tuple[int, str]]:
        """(radon's complexity, `path:line name`) of every function and method."""
        return [
            (block.complexity, f"{self.name_of(file)}:{block.lineno} {block.name}")
            for file in self.files
            for block in _measured(file)
        ]

    def name_of(self, file: Path) -> str:
        """Return the path as seen from the root of the checkout."""
        return str(file.relative_to(self.root))

    def above(self, limit: int) -> list[str]:
        """Return the functions whose complexity exceeds `limit`, the worst first."""
        return [
            f"{complexity:>3}  {name}"
            for complexity, name in sorted(self.complexities, reverse=True)
            if complexity > limit
        ]

    def folders(self) -> int:
        """Count the folders that hold a module."""
        return len({file.parent for file in self.files})

    def entries(self) -> int:
        """Count the entries at the top of the folder."""
        top = (self.root / self.folder).iterdir()
        return len([entry for entry in top if entry.name != "__pycache__"])

    def file_lengths(self) -> list[int]:
        """Return the lines of each module."""
        return [len(file.read_text(encoding="utf-8").splitlines()) for file in self.files]

    def function_lengths(self) -> list[int]:
        """Return the lines of each function."""
        return [(node.end_lineno or node.lineno) - node.lineno + 1 for _, node in self.functions]

    def comments(self) -> tuple[int, int]:
        """Return (comment tokens, lines of code)."""
        comments = code = 0
        for file in self.files:
            with tokenize.open(file) as stream:
                kinds = list(tokenize.generate_tokens(stream.readline))
            comments += sum(token.type == tokenize.COMMENT for token in kinds)
            blank = (tokenize.NL, tokenize.COMMENT, tokenize.ENDMARKER, tokenize.INDENT, tokenize.DEDENT)
            code += len({token.start[0] for token in kinds if token.type not in blank})
        return comments, code

    def without_args(self) -> list[str]:
        """Return the public functions of three or more parameters whose docstring has no `Args:`."""
        return [
            f"{self.name_of(file)}:{node.lineno} {node.name}"
            for file, node in self.functions
            if _is_public(node) and _parameters(node) >= MANY_PARAMETERS and "Args:" not in _docstring(node)
        ]

    def without_raises(self) -> list[str]:
        """Return the public functions that raise an error of their own and do not say so."""
        return [
            f"{self.name_of(file)}:{node.lineno} {node.name}"
            for file, node in self.functions
            if _is_public(node) and _raises(node) and "Raises:" not in _docstring(node)
        ]

    def asking(self) -> list[str]:
        """Return the docstrings that open with a question word."""
        named = [
            (file, getattr(node, "name", "module"), ast.get_docstring(node) or "")
            for file in self.files
            for node in _nodes(file)
            if isinstance(node, DOCUMENTED)
        ]
        return [f"{self.name_of(file)} {name}" for file, name, text in named if QUESTION.match(text)]

    @cached_property
    def statements(self) -> list[tuple[Path, ast.stmt]]:
        """Every statement but definitions, with its module."""
        return [
            (file, node)
            for file in self.files
            for node in _nodes(file)
            if isinstance(node, ast.stmt) and not isinstance(node, DOCUMENTED)
        ]

    def dense(self) -> list[str]:
        """Return the statements with more comprehensions or boolean operators than are easily read."""
        return [f"{self.name_of(file)}:{node.lineno}" for file, node in self.statements if _is_dense(node)]

    def modules_named_twice(self) -> dict[str, list[str]]:
        """Return the module names that are used for several modules of this package."""
        places: dict[str, list[str]] = defaultdict(list)
        for file in self.files:
            is_resource = RESOURCE_FOLDERS.intersection(file.relative_to(self.root).parts)
            if file.stem not in COMMON_NAMES and not is_resource:
                places[file.stem].append(self.name_of(file))
        return {name: found for name, found in places.items() if len(found) > 1}

    def sources(self) -> list[tuple[str, str]]:
        """Return (module, cited page) of each page named in a docstring or comment."""
        return [
            (self.name_of(file), page)
            for file in self.files
            for page in SOURCE.findall(file.read_text(encoding="utf-8"))
        ]

    def dead_sources(self) -> list[str]:
        """Return the citations of pages that are not in the repository."""
        return [
            f"{module}: {page}" for module, page in self.sources() if not _exists(self.root, module, page)
        ]


@cache
def _tree(file: Path) -> ast.Module:
    """Return the syntax tree of a module, read once: packages lie inside each other."""
    return ast.parse(file.read_text(encoding="utf-8"))


@cache
def _nodes(file: Path) -> tuple[ast.AST, ...]:
    """Return all nodes of a module's syntax tree, found once."""
    return tuple(ast.walk(_tree(file)))


@cache
def _measured(file: Path) -> tuple[Function, ...]:
    """Return the functions and methods of a module with their complexity."""
    return tuple(_blocks(cc_visit_ast(_tree(file))))


def _exists(root: Path, module: str, page: str) -> bool:
    return (root / page).exists() or (root / module).parent.joinpath(page).exists()


def _blocks(found: Sequence[Function | Class]) -> Iterator[Function]:
    for block in found:
        if isinstance(block, Function):
            yield block
            yield from _blocks(block.closures)
        # Methods are listed by radon beside their class as well.


def _is_dense(statement: ast.stmt) -> bool:
    comprehensions = booleans = 0
    for node in _expressions(statement):
        comprehensions += isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp))
        booleans += len(node.values) - 1 if isinstance(node, ast.BoolOp) else 0
    return comprehensions > COMPREHENSIONS or booleans > BOOLEANS


def _expressions(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what a statement consists of, without the statements inside it."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (ast.stmt, ast.ExceptHandler, ast.match_case)):
            yield child
            yield from _expressions(child)


def _is_public(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return not node.name.startswith("_") and bool(_docstring(node)) and not _is_entrance(node)


def _is_entrance(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether FastAPI or Typer calls the function: its docstring is what users read as help."""
    calls = [decorator.func for decorator in node.decorator_list if isinstance(decorator, ast.Call)]
    return any(isinstance(call, ast.Attribute) and call.attr in ENTRANCES for call in calls)


def _docstring(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    return ast.get_docstring(node) or ""


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return len([argument for argument in given if argument.arg not in ("self", "cls")])


def _raises(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    raised = [found.exc for found in ast.walk(node) if isinstance(found, ast.Raise) and found.exc is not None]
    return any(isinstance(error, ast.Call) for error in raised)


def classes_named_twice(root: Path) -> dict[str, list[str]]:
    """Return the public class names that are used for several classes in all packages together."""
    places: dict[str, list[str]] = defaultdict(list)
    for folder in ("core", "server", "tui"):
        package = Package(root, folder)
        for file in package.files:
            for node in _tree(file).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    places[node.name].append(package.name_of(file))
    return {name: found for name, found in places.items() if len(found) > 1}


def touched(root: Path) -> dict[str, list[str]]:
    """Return the modules that each kind of change touches."""
    files = [file for folder in ("core", "server", "tui") for file in Package(root, folder).files]
    texts = {str(file.relative_to(root)): file.read_text(encoding="utf-8") for file in files}
    return {
        change: [name for name, text in texts.items() if mark.search(text)] for change, mark in MARKS.items()
    }


def spread(values: Sequence[int]) -> str:
    """Return `median / p90 / max` of some lengths."""
    ordered = sorted(values)
    return f"{statistics.median(ordered):.0f} / {ordered[int(len(ordered) * 0.9)]} / {ordered[-1]}"


def rows(package: Package) -> dict[str, str]:
    """Return the printed figures of one package."""
    total = len(package.complexities)
    high, too_high = package.above(HIGH), package.above(TOO_HIGH)
    comments, code = package.comments()
    return {
        "entries at the top": str(package.entries()),
        "modules, folders": f"{len(package.files)}, {package.folders()}",
        "lines a file": spread(package.file_lengths()),
        "lines a function": spread(package.function_lengths()),
        f"complexity > {HIGH}": f"{len(high)} of {total} ({len(high) / total:.1%})",
        f"complexity > {TOO_HIGH}": str(len(too_high)),
        "module names twice": str(len(package.modules_named_twice())),
        "comments / 100 lines": f"{100 * comments / code:.1f}",
        "sources, dead": f"{len(package.sources())}, {len(package.dead_sources())}",
        "without Args": str(len(package.without_args())),
        "without Raises": str(len(package.without_raises())),
        "opening with a question": str(len(package.asking())),
        "dense statements": f"{len(package.dense())} of {len(package.statements)}",
    }


def details(package: Package) -> Iterator[str]:
    """Yield the entries behind the figures of one package."""
    yield from package.above(HIGH)
    yield from (f"twice: {name}: {', '.join(found)}" for name, found in package.modules_named_twice().items())
    yield from (f"dead source: {entry}" for entry in package.dead_sources())
    yield from (f"no Args: {entry}" for entry in package.without_args())
    yield from (f"no Raises: {entry}" for entry in package.without_raises())
    yield from (f"question: {entry}" for entry in package.asking())
    yield from (f"dense: {entry}" for entry in package.dense())


def main(arguments: Sequence[str]) -> None:
    """Print the table for a checkout."""
    wanted = [argument for argument in arguments if not argument.startswith("-")]
    root = Path(wanted[0] if wanted else Path(__file__).parents[1]).resolve()
    packages = [Package(root, folder) for folder in PACKAGES if (root / folder).is_dir()]
    columns = [rows(package) for package in packages]
    print(f"{'':<24}" + "".join(f"{package.folder:>24}" for package in packages))
    for label in columns[0]:
        print(f"{label:<24}" + "".join(f"{column[label]:>24}" for column in columns))
    print(f"\npublic class names twice: {len(classes_named_twice(root))}")
    for change, files in touched(root).items():
        print(f"files that {change} touches: {len(files)}")
    if "--list" in arguments:
        for package in packages:
            print(f"\n{package.folder}\n" + "\n".join(details(package)))
        print(
            "\n"
            + "\n".join(f"{name}: {', '.join(found)}" for name, found in classes_named_twice(root).items())
        )
        print("\n".join(f"{change}: {', '.join(files)}" for change, files in touched(root).items()))


if __name__ == "__main__":
    main(sys.argv[1:])
