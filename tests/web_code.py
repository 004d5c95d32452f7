"""Runs parts of the viewer in Node, for tests that hold them against numpy. Skips where Node or web/ is missing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

WEB = Path(__file__).parents[1] / "web"


def ran(program: str, folder: Path, **given: Any) -> Any:
    """What a TypeScript program says.

    Args:
        program: The body of an async function; ``from "@/name"`` in its first lines imports a file of the viewer,
            ``given`` is what was given, and ``return`` answers.
        folder: A place for files.
        **given: Plain values.
    """
    node = shutil.which("node")
    esbuild = WEB / "node_modules" / "esbuild"
    if node is None or not esbuild.is_dir():
        if os.environ.get("UNFLAT_CI") == "1":
            pytest.fail("UNFLAT_CI=1, and Node.js or web/node_modules is not here")
        pytest.skip("Node.js or web/node_modules is not here")
    lines = program.strip().splitlines()
    imports = [line.replace("@/", f"{WEB.as_posix()}/src/") for line in lines if line.strip().startswith("import ")]
    body = "\n".join(line for line in lines if not line.strip().startswith("import "))
    (folder / "given.json").write_text(json.dumps(given))
    (folder / "main.ts").write_text(
        "\n".join(imports)
        + '\nimport { readFileSync } from "node:fs";\n'
        + 'const given = JSON.parse(readFileSync(process.argv[2]!, "utf8"));\n'
        + f"const answer = await (async () => {{\n{body}\n}})();\n"
        + "process.stdout.write(JSON.stringify(answer));\n"
    )
    (folder / "build.mjs").write_text(
        f'import {{ buildSync }} from "{(esbuild / "lib" / "main.js").as_posix()}";\n'
        'buildSync({ entryPoints: ["main.ts"], bundle: true, platform: "node", format: "esm", outfile: "main.mjs",'
        f' nodePaths: ["{(WEB / "node_modules").as_posix()}"],'
        ' absWorkingDir: import.meta.dirname, logLevel: "error" });\n'
    )
    for command in ([node, "build.mjs"], [node, "main.mjs", "given.json"]):
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)
