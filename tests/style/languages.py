# SPDX-License-Identifier: Apache-2.0
"""The house rules for Python, Go and the bindings' C.  Layout is left to ruff
and gofmt, which scripts/test runs."""

import ast
import re

FILE_LINES = 500
FUNCTION_LINES = 60
GENERATED = re.compile(r"// Code generated .* DO NOT EDIT\.$", re.M)

# What each private name across files begins with.
PREFIXES = {
    "bindings/python": r"volo__py_|PyInit_",
    "go/volo/internal/cvolo": r"volo__go_|volo_go_",
}


def check_length(path, text, report):
    if "tests" in path.parts or path.name.endswith("_test.go"):
        return  # as those in C
    count = text.count("\n")
    if count > FILE_LINES:
        report("file-length", path, 1, f"{count} lines, more than {FILE_LINES}")


def is_package(path):
    """Python that users read: the package and the examples."""
    return path.parts[0] == "python" or path.parts[:2] in {
        ("examples", "python"), ("examples", "serve")}


def check_python(path, text, report):
    if not is_package(path):
        return
    check_length(path, text, report)
    tree = ast.parse(text)
    if not ast.get_docstring(tree) and path.parts[:2] == ("python", "volo") \
            and path.suffix == ".py":
        report("purpose", path, 1, "no docstring that says what this is")
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = node.end_lineno - node.lineno + 1
            if length > FUNCTION_LINES:
                report("function-length", path, node.lineno,
                       f"{node.name}() has {length} lines", node.name)


def check_go(path, text, report):
    if GENERATED.search(text):
        return
    check_length(path, text, report)
    lines = text.split("\n")
    for i, line in enumerate(lines):
        name = re.match(r"func (?:\(\w* ?\*?(\w+)[^)]*\) )?(\w+)", line)
        if name:
            end = next((j for j in range(i, len(lines)) if lines[j] == "}"
                        or lines[j].endswith("}") and j == i), i)
            if end - i + 1 > FUNCTION_LINES:
                report("function-length", path, i + 1,
                       f"{name[2]}() has {end - i + 1} lines", name[2])
        exported = name and name[2][0].isupper() and \
            (not name[1] or name[1][0].isupper()) or \
            re.match(r"type [A-Z]", line)
        if exported and not path.name.endswith("_test.go") and \
                not lines[i - 1].startswith("//"):
            report("documented", path, i + 1, "exported without a comment")


def check_bindings(path, text, report):
    """C that is hand-written for a language: one prefix, small files."""
    folder = next((f for f in PREFIXES if str(path).startswith(f)), None)
    if not folder or GENERATED.search(text):
        return
    limit = FILE_LINES if path.suffix == ".c" else 200
    count = text.count("\n")
    if count > limit:
        report("file-length", path, 1, f"{count} lines, more than {limit}")
    if not re.match(r"/\* SPDX[^\n]*\n/\*", text):
        report("purpose", path, 2, "no comment that says what this is")
    lines = text.split("\n")
    for i, line in enumerate(lines):
        name = re.match(r"(\w+)\(", line)
        if name and i and re.match(r"[a-zA-Z]", lines[i - 1]) and \
                not re.match(r"static|#|typedef|extern", lines[i - 1]) and \
                not re.match(PREFIXES[folder], name[1]):
            report("prefix", path, i + 1,
                   f"{name[1]}() is seen by other files", name[1])
    check_links(path, text, report)


def check_links(path, text, report):
    for n, line in enumerate(text.split("\n"), 1):
        m = re.match(r"#\s*include\s+<(volo/[^>]+)>", line)
        if m:
            report("direction", path, n, "bindings include <volo.h>")


def check(path, text, report):
    if path.suffix in {".py", ".pyi"}:
        check_python(path, text, report)
    elif path.suffix == ".go":
        check_go(path, text, report)
    elif path.suffix in {".c", ".h"}:
        check_bindings(path, text, report)
