"""Every way through the command line, from sources that say too much: what is run, where, and what is left behind.

Each verb, each family of inputs and each kind of output is in the table at least once; ``journeys/test_private.py``
runs it under the system's own eyes and counts.
"""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import planted
from planted_sources import ELSEWHERE, NET, plant


@dataclass(frozen=True)
class Journey:
    """One command.

    Attributes:
        name: Of the journey, and of the folder of what it makes.
        words: Of the command; {in}, {out}, {own} and {consent} are replaced.
        code: Exit codes that are right.
        person: It is about people by name: their names may be said.
        serves: It listens on loopback, is asked once, and ended.
    """

    name: str
    words: str
    code: tuple[int, ...] = (0,)
    person: bool = False
    serves: bool = False


@dataclass(frozen=True)
class Done:
    """What a journey left.

    Attributes:
        journey: Which.
        code: Its exit code.
        said: What it printed, both streams.
        made: The folder of what it made.
        calls: What it asked of the system's network, by the system's account; None where nobody watched.
    """

    journey: Journey
    code: int
    said: bytes
    made: Path
    calls: str | None

    @property
    def files(self) -> list[Path]:
        """All that it made."""
        return sorted(path for path in self.made.rglob("*") if path.is_file())


def outs(*names: str) -> str:
    """``-o`` for each name, in the journey's folder."""
    return " ".join(f"-o {{out}}/{name}" for name in names)


_RAMP = "--depth ramp"
_SCENES = ("a.html", "a.glb", "b.gltf", "a.usdz", "a.ply", "a.splat.ply", "a.spz", "a.pcd", "c.obj", "a.stl", "a.3mf")
_DEPTHS = ("d.png", "d.exr", "d.npy", "d.pfm", "d.jpg")
_EACH = " ".join(f"{{in}}/each/{kind}.{kind}" for kind in ("jpg", "png", "webp", "avif", "tif", "heic"))
_PICTURES = ("s.jpg", "s.png", "s.webp", "s.tif", "s.avif", "s.mpo", "s.heic", "v.vr.jpg")
_PLACES = ("a.glb", "a.html", "a.tum", "a.colmap", "a.nerfstudio", "a.yaml", "b.pgm", "a.ply")
_QUICK = "--no-learned --depth-size 96 --texture-size 256 --triangles 4000"
_SOLIDS = ("a.html", "a.glb", "b.gltf", "a.usdz", "a.ply", "c.obj", "a.stl", "a.3mf")
JOURNEYS = (
    Journey("nothing", ""),
    Journey("help", "photo --help"),
    Journey("doctor", "doctor --json"),
    Journey("models list", "models --json"),
    Journey("models pull", "models pull {net} --sha256 {sha} --card {in}/card.json"),
    Journey("models show", f"models {NET}"),
    Journey("photo by a fetched model", f"photo {{in}}/a.png --depth {NET} {outs('a.glb')} --json"),
    Journey("models remove", f"models remove {NET}"),
    Journey("consents", "consent list --json", person=True),
    Journey("scenes", f"photo {{in}}/a.jpg {_RAMP} {outs(*_SCENES, *_DEPTHS)} --json"),
    Journey("learned", f"photo {{in}}/a.tif --detail 256 {outs('a.glb', 'a.html')} --json"),
    Journey("heic", f"photo {{in}}/a.heic {_RAMP} {outs('a.glb', 'a.usdz')}"),
    Journey(
        "with a consent",
        f"photo {{in}}/a.webp {_RAMP} {outs('a.glb', 'a.ply')} --basis written-consent --consent {{consent}}",
    ),
    Journey(
        "own depth", f"photo {{in}}/a.png --depth {{in}}/own.npy --depth-kind scale {outs('a.glb', 'a.exr')} --json"
    ),
    Journey("other eye", f"photo {{in}}/a.avif --render-eye right {_RAMP} {outs('r.png', 'r.jpg')}"),
    Journey("panorama", f"photo {{in}}/round.jpg --panorama yes {_RAMP} {outs('a.html', 'a.glb', 'd.exr')}"),
    Journey("a diagram", f"photo {{in}}/plan.png --style diagram {outs('a.glb')}"),
    Journey("without a signature", f"photo {{in}}/a.jpg {_RAMP} --no-sign {outs('a.glb', 'a.html', 'd.png')}"),
    Journey(
        "depths",
        f"depth {_EACH} --depth ramp -o {{out}}/",
    ),
    Journey(
        "stereo",
        f"stereo {{in}}/a.jpg {_RAMP} {outs(*_PICTURES)} --json",
    ),
    Journey("stereo of others", f"stereo {{in}}/a.tif {_RAMP} --layout anaglyph {outs('s.jpg', 's.png', 's.tif')}"),
    Journey("stereo of HEIC", f"stereo {{in}}/a.heic {_RAMP} {outs('s.jpg', 's.avif')}"),
    Journey("a wiggle", f"stereo {{in}}/a.webp {_RAMP} --layout wiggle {outs('w.gif', 'w.webp', 'w.mp4')}"),
    Journey(
        "animate",
        f"animate {{in}}/a.jpg {_RAMP} --seconds 0.3 --fps 8 {outs('m.mp4', 'm.gif', 'm.webp', 'm.png')} --json",
    ),
    Journey("depth of a film", f"depth {{in}}/a.mp4 {_RAMP} {outs('d.mp4', 'd.mkv', 'd.png')} --json"),
    Journey("stereo of a film", f"stereo {{in}}/a.mov {_RAMP} {outs('s.mp4', 's.mov', 's.mkv', 's.html')} --json"),
    Journey("stereo of another film", f"stereo {{in}}/a.mkv {_RAMP} {outs('s.mp4', 's.webm')}"),
    Journey(
        "scan",
        f"scan {{in}}/around {_QUICK} --keep-parts {outs(*_PLACES)} --json",
    ),
    Journey("scan of a thing", f"scan {{in}}/Ball/ball.png --subject object {outs('thing.glb')} --json"),
    Journey("catalogue", "scan {in}/shop --subject object --catalogue -o {out}/shop --json"),
    Journey("volume", f"volume {{in}}/Qzfile-doe --threshold 0 {outs(*_SOLIDS)} --json"),
    Journey("volume of packed slices", f"volume {{in}}/Qzfile-packed --threshold 0 {outs('a.glb')}"),
    Journey("volume of a zip", f"volume {{in}}/Qzfile-doe.zip --threshold 0 {outs('a.glb')}"),
    Journey(
        "volume of NIfTI",
        f"volume {{in}}/Qzfile-nifti.nii.gz --modality ct --threshold 0 {outs('a.glb', 'a.html')} --json",
    ),
    Journey("volume of NRRD", f"volume {{in}}/Qzfile-nrrd.nrrd --modality ct --threshold 0 {outs('a.glb', 'a.stl')}"),
    Journey("volume of MetaImage", f"volume {{in}}/Qzfile-meta.mha --modality ct --threshold 0 {outs('a.glb')}"),
    Journey(
        "volume of slices",
        f"volume {{in}}/Qzfile-slices --spacing-mm 4 4 4 --modality ct --threshold 0 {outs('a.glb')}",
    ),
    Journey("volume list", "volume {in}/Qzfile-doe --list --json"),
    Journey("inspect a source", "inspect {in}/a.jpg"),
    Journey("inspect a source in JSON", "inspect {in}/a.jpg --json"),
    Journey("inspect a film", "inspect {in}/a.mov --json"),
    Journey("inspect a result", "inspect {made}/scenes/a.glb --json"),
    Journey("inspect against", "inspect {made}/volume/a.glb --against {in}/Qzfile-doe --json"),
    Journey("verify a result", "verify {made}/scenes/a.glb --json"),
    Journey("verify a picture", "verify {made}/stereo/s.jpg"),
    Journey("verify what nobody signed", "verify {in}/a.jpg", (0, 2, 8, 1)),
    Journey("view", "view {made}/scenes/a.glb --no-browser", (0, 130), serves=True),
    Journey("bait: manifest elsewhere", f"photo {{in}}/remote.jpg {_RAMP} {outs('a.glb')}", (0, 2)),
    Journey("bait: verify it", "verify {in}/remote.jpg", (0, 1, 2, 8)),
    Journey("bait: inspect it", "inspect {in}/remote.jpg", (0, 2)),
    Journey("bait: playlist", f"depth {{in}}/playlist.mp4 {_RAMP} {outs('d.mp4')}", (2,)),
    Journey("bait: playlist of its kind", f"depth {{in}}/playlist.mkv {_RAMP} {outs('d.mp4')}", (2,)),
    Journey("bait: glTF", "inspect {in}/bait.gltf", (2,)),
    Journey("bait: USD", "inspect {in}/bait.usdz", (2,)),
    Journey("bait: no such address", f"models pull https://{ELSEWHERE}/x.onnx", (2,)),
    *(
        Journey(f"damaged: {name}", f"--debug {words}", (1, 2, 3, 9, 70))
        for name, words in (
            ("JPEG", f"photo {{in}}/cut/a.jpg {_RAMP} {outs('a.glb')}"),
            ("PNG", f"photo {{in}}/cut/a.png {_RAMP} {outs('a.glb')}"),
            ("TIFF", f"photo {{in}}/cut/a.tif {_RAMP} {outs('a.glb')}"),
            ("WebP", f"stereo {{in}}/cut/a.webp {_RAMP} {outs('s.jpg')}"),
            ("AVIF", f"stereo {{in}}/cut/a.avif {_RAMP} {outs('s.jpg')}"),
            ("HEIC", f"depth {{in}}/cut/a.heic {_RAMP} {outs('d.png')}"),
            ("MP4", f"depth {{in}}/cut/a.mp4 {_RAMP} {outs('d.mp4')}"),
            ("DICOM", f"volume {{in}}/cut/Qzfile-doe --threshold 0 {outs('a.glb')}"),
            ("NIfTI", f"volume {{in}}/cut/Qzfile-nifti.nii.gz --modality ct --threshold 0 {outs('a.glb')}"),
            ("NRRD", f"volume {{in}}/cut/Qzfile-nrrd.nrrd --modality ct --threshold 0 {outs('a.glb')}"),
            ("MetaImage", f"volume {{in}}/cut/Qzfile-meta.mha --modality ct --threshold 0 {outs('a.glb')}"),
            ("no place to write", f"photo {{in}}/a.jpg {_RAMP} -o {{out}}/none/a.glb"),
            ("a metric print", f"photo {{in}}/a.jpg {_RAMP} --known-length 1,1,2,2=x {outs('a.stl')}"),
        )
    ),
)


@dataclass
class World:
    """Where the journeys go: sources, what is made, and the homes of a user with an open umask.

    Attributes:
        base: A folder whose name must not come out.
        python: What runs the command.
    """

    base: Path
    python: str = sys.executable
    consent: str = ""
    results: dict[str, Done] = field(default_factory=dict)

    @property
    def sources(self) -> Path:
        """Of all journeys."""
        return self.base / "in"

    @property
    def hidden(self) -> dict[str, Path]:
        """Where the command keeps things: each with the environment variable that leads there."""
        names = {"HOME": "home", "TMPDIR": "tmp", "UNFLAT_CACHE": "cache", "UNFLAT_DATA": "data"}
        return {variable: self.base / name for variable, name in names.items()}

    def prepare(self) -> World:
        """Plant the sources, and write down one consent."""
        self.sources.mkdir(parents=True)
        for variable in ("HOME", "TMPDIR"):
            self.hidden[variable].mkdir()
        plant(self.sources)
        words = ["consent", "give", "--who", planted.PERSON, "--purpose", f"{planted.PERSON} agreed"]
        self.consent = self._run(words, []).stdout.decode().strip()
        return self

    def environment(self) -> dict[str, str]:
        """Of every command; nothing tells Python to write its own caches there."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "HF_", "UNFLAT_C"))}
        return kept | {name: str(path) for name, path in self.hidden.items()}

    def _run(self, words: list[str], watch: list[str]) -> subprocess.CompletedProcess[bytes]:
        command = [*watch, self.python, "-m", "unflat.cli.entry", *words]
        env = self.environment()
        return subprocess.run(
            command,
            env=env,
            cwd=self.base,
            capture_output=True,
            check=False,
            timeout=280,
            umask=0,
            stdin=subprocess.DEVNULL,
        )

    def words_of(self, journey: Journey) -> list[str]:
        """The words of a command with all paths absolute, as drag and drop gives them."""
        net = self.sources / "meanq.onnx"
        told = {
            "{in}": str(self.sources),
            "{out}": str(self.made(journey)),
            "{made}": str(self.base / "made"),
            "{consent}": self.consent,
            "{net}": net.as_uri(),
            "{sha}": hashlib.sha256(net.read_bytes()).hexdigest(),
        }
        return [re.sub(r"\{\w+\}", lambda name: told[name.group()], word) for word in journey.words.split()]

    def made(self, journey: Journey) -> Path:
        """The folder of what a journey makes."""
        return (
            self.base / "made" / journey.name.replace(" ", "-").replace(":", "")
            if " " in journey.name
            else (self.base / "made" / journey.name)
        )

    def go(self, journey: Journey, tracer: list[str]) -> Done:
        """Run a journey, once.

        Args:
            journey: Which.
            tracer: The command that watches, up to its option for the file of what it saw; empty for nobody.
        """
        if journey.name in self.results:
            return self.results[journey.name]
        made, log = self.made(journey), self.base / f"calls-{len(self.results)}.txt"
        made.mkdir(parents=True)
        watch = [*tracer, str(log)] if tracer else []
        if journey.serves:
            code, said = self._visit(self.words_of(journey), watch)
        else:
            done = self._run(self.words_of(journey), watch)
            code, said = done.returncode, done.stdout + done.stderr
        calls = log.read_text("utf-8", "replace") if tracer else None
        self.results[journey.name] = Done(journey, code, said, made, calls)
        return self.results[journey.name]

    def _visit(self, words: list[str], watch: list[str]) -> tuple[int, bytes]:
        """Ask a served page once, then end the server as Ctrl-C does."""
        command = [*watch, self.python, "-m", "unflat.cli.entry", *words]
        with subprocess.Popen(
            command, env=self.environment(), cwd=self.base, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            umask=0, start_new_session=True,
        ) as run:  # fmt: skip
            assert run.stdout is not None
            said = run.stdout.readline()
            address = re.search(rb"http://127\.0\.0\.1:\d+/\S+/", said)
            assert address is not None, said
            with urllib.request.urlopen(address.group().decode(), timeout=30) as page:
                body = page.read()
            os.killpg(run.pid, signal.SIGINT)
            rest = run.stdout.read()
            code = run.wait(30)
        return code, re.sub(rb"http://127\.0\.0\.1:\d+/\S+/", b"", said + rest) + body[:0]


def verbs() -> Iterator[str]:
    """The verb of each journey."""
    for journey in JOURNEYS:
        yield next((word for word in journey.words.split() if not word.startswith("-")), "")
