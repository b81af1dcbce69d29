"""The documents: they name what is there, all of it, and nothing that is not."""

import re
import sys
from pathlib import Path

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))
import document_commands

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
README = (ROOT / "README.md").read_text("utf-8")


def test_the_list_of_commands_is_the_programs_own() -> None:
    page = document_commands.PAGE.read_text("utf-8")
    assert document_commands.refreshed(page) == page, "type: python scripts/document_commands.py"
    assert sorted(re.findall(r"^## (\S+)$", page, re.M)) == sorted(document_commands.commands())


def test_every_source_file_is_in_the_readmes_tree_and_the_tree_holds_no_other() -> None:
    tree = README[README.index("    src/inkdigits/\n") :].split("\n\n", 1)[0]
    named: set[str] = set()
    folders: list[str] = []
    for line in tree.splitlines()[1:]:
        found = re.match(r"^( +)(\S+)  ", line + "  ")
        assert found, line
        folders = [*folders[: len(found[1]) // 2 - 3], found[2].rstrip("/")]
        if not found[2].endswith("/"):
            named.add("/".join(folders))
    package = ROOT / "src" / "inkdigits"
    there = {p.relative_to(package).as_posix() for p in package.rglob("[!.]*") if p.is_file() and "__pycache__" not in p.parts}
    assert there == named, "type: python scripts/document_tree.py"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    text = re.sub(r"```.*?```", "", document.read_text("utf-8"), flags=re.S)
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_what_the_readme_must_say() -> None:
    for words in ("make demo", "make test", "No picture leaves this machine", "Apache", "Windows", "macOS", "Linux"):
        assert words in README, words


def test_commands_in_the_readme_exist() -> None:
    names = set(re.findall(r"^(?:\$ )?inkdigits ([a-z]+)", README, re.M))
    assert names and names <= set(document_commands.commands())


@pytest.mark.parametrize(
    "symptom",
    [
        *("expected (10,), got (1,)", "batch axis", "RGB", "black on white", "predict_classes", "np_utils", "KERAS_BACKEND", "SSL", "403"),
        *("seed", ".h5", "two frameworks", "GPU", "corner", "horse"),
    ],
)
def test_troubleshooting_answers_what_learners_meet(symptom: str) -> None:
    page = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
    assert symptom.lower() in page.lower()


def test_every_entry_of_troubleshooting_has_symptom_cause_and_cure() -> None:
    page = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
    entries = page.split("\n## ")[1:]
    assert len(entries) >= 13
    for entry in entries:
        for word in ("**Symptom.**", "**Cause.**", "**Cure.**", "**Here.**"):
            assert word in entry, f"{entry.splitlines()[0]}: {word}"


def test_the_licence_of_all_data_is_told() -> None:
    notice, data = (ROOT / "NOTICE").read_text("utf-8"), (ROOT / "docs" / "data.md").read_text("utf-8")
    for text in (notice, data):
        for words in ("Yann LeCun", "Corinna Cortes", "Christopher", "CC BY-SA 3.0"):
            assert words in re.sub(r"\s+", " ", text), words
        for file in ("mnist.npz", "ten-glyphs.npy"):  # every file in the package that shows MNIST's pictures
            assert file in text
    for words in ("CC BY 4.0", "MIT", "OFL"):
        assert words in data
