"""`docs/guarantees.md` names tests as proof: they are there (design §2)."""

import ast
import re
from pathlib import Path

import pytest

PAGE = Path("docs/guarantees.md")
PROOF = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
PROMISES = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)[1:]


@pytest.mark.parametrize(("path", "name"), sorted(set(PROOF.findall(PAGE.read_text()))))
def test_a_proof_that_is_named_exists(path: str, name: str) -> None:
    assert Path(path).is_file()
    defined = ast.walk(ast.parse(Path(path).read_text()))
    assert name in {node.name for node in defined if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.partition(".")[0])
def test_every_promise_says_what_how_by_what_proof_and_where_it_ends(promise: str) -> None:
    _, proof = promise.split("**Proved by**")
    assert PROOF.search(proof)
    for part in ("**For you.**", "**How.**", "**Where it ends"):
        assert part in promise
