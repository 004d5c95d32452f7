"""What people, rights, credentials and signatures cost a photograph: the whole command with them and without.

    python benchmarks/trust_overhead.py [--runs 7] [--depth ramp] [PICTURE …]

Every run is a process of its own, as people start it; those with and without take turns, and of each the least is told,
for other work on the machine only ever adds. What is turned off cannot be turned off by users: nobody is looked for,
nothing is read of rights and credentials; faces are not taken as measures (--no-familiar). Without pictures
scikit-image's astronaut is enlarged to 12 megapixels (to GLB) and to 2 (to a page). Then what each part takes in a
process that has done such a conversion already.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ASKED_S = 0.3


def child(off: str, picture: Path, out: Path, depth: str) -> None:
    """One conversion in this process; ``off`` names what is left out: nothing, signing, all."""
    from unflat.cli.main import run

    if off == "all":
        _turn_off()
    words = ["photo", str(picture), "-o", str(out), "--depth", depth, "--no-familiar", "--quiet", "--force"]
    begun, used = time.perf_counter(), time.process_time()
    code = run(words if off == "nothing" else [*words, "--no-sign"])
    if code == 0:
        print(time.perf_counter() - begun, time.process_time() - used)


def _turn_off() -> None:
    """Leave out finders, and all reading of rights and credentials."""
    from unflat.formats import exif, image
    from unflat.models.faces import finder
    from unflat.types.image import Size
    from unflat.types.people import People
    from unflat.types.provenance import Rights

    finder.find_people = lambda rgb, **_more: People(Size(rgb.shape[1], rgb.shape[0]))
    exif.rights_and_reserved = lambda _packet: (Rights(), (), None)
    image.with_credentials = lambda source, *_more: source


def whole(picture: Path, out: Path, depth: str, runs: int) -> dict[str, tuple[float, float]]:
    """Least seconds, and CPU seconds, of the command with everything, without signing, and without any of it."""
    kinds, times = ("nothing", "signing", "all"), dict[str, list[tuple[float, float]]]()
    for number in range(runs + 1):
        for off in kinds if number % 2 else kinds[::-1]:
            words = [sys.executable, __file__, "--child", off, str(picture), "-o", str(out), "--depth", depth]
            done = subprocess.run(words, capture_output=True, text=True, check=True)
            if number:  # the first fills caches
                wall, cpu = map(float, done.stdout.split())
                times.setdefault(off, []).append((wall, cpu))
    return {off: (min(wall for wall, _ in times[off]), min(cpu for _, cpu in times[off])) for off in kinds}


def parts(picture: Path) -> None:
    """What each part takes after a conversion in the same process, milliseconds: at first, and the least of several."""
    from unflat.cli.main import run
    from unflat.formats.c2pa_read import credentials_of
    from unflat.formats.c2pa_sign import sign
    from unflat.formats.image import read_image
    from unflat.formats.keys import own_keys
    from unflat.models.faces.finder import find_people
    from unflat.trust.lineage import Lineage

    image = read_image(picture)
    _turn_off()
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "a.glb"
        assert run(["photo", str(picture), "-o", str(made), "--depth", "ramp", "--quiet", "--no-sign"]) == 0
        made.write_bytes(bytes(8 << 20))
        story = Lineage.begin(image.source).seal()
        looked: dict[str, Callable[[], object]] = {
            "people": lambda: find_people(image.pixels),
            "credentials of the source": lambda: credentials_of(picture),
            "signing 8 MB": lambda: sign(made, made.name, story, own_keys()),
        }
        for name, work in looked.items():
            times = []
            for _ in range(7):
                begun = time.perf_counter()
                work()
                times.append(time.perf_counter() - begun)
            print(f"    {name}: first {times[0] * 1e3:.0f} ms, then {min(times[1:]) * 1e3:.0f} ms")


def enlarged(path: Path, size: tuple[int, int]) -> Path:
    """The astronaut, at that size."""
    from PIL import Image as Pil
    from skimage.data import astronaut

    Pil.fromarray(astronaut()).resize(size, Pil.Resampling.LANCZOS).save(path, quality=92)
    return path


def main() -> None:
    """Measure and tell."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("pictures", nargs="*", type=Path)
    words.add_argument("--runs", type=int, default=7)
    words.add_argument("--depth", default="ramp")
    words.add_argument("--child", choices=("nothing", "signing", "all", "parts"), help=argparse.SUPPRESS)
    words.add_argument("-o", "--output", type=Path, help=argparse.SUPPRESS)
    told = words.parse_args()
    if told.child == "parts":
        parts(told.pictures[0])
        return
    if told.child:
        child(told.child, told.pictures[0], told.output, told.depth)
        return
    with tempfile.TemporaryDirectory() as folder:
        os.environ["UNFLAT_DATA"] = str(Path(folder) / "own")
        work = [(picture, ".glb") for picture in told.pictures]
        if not work:
            work = [(enlarged(Path(folder) / "12mp.jpg", (4000, 3000)), ".glb")]
            work += [(enlarged(Path(folder) / "2mp.jpg", (1632, 1224)), ".html")]
        for picture, suffix in work:
            took = whole(picture, Path(folder) / f"out{suffix}", told.depth, told.runs)
            over, cpu, seal = (
                took["nothing"][0] - took["all"][0],
                took["nothing"][1] - took["all"][1],
                took["nothing"][0] - took["signing"][0],
            )
            verdict = "as asked" if over <= ASKED_S else f"more than {ASKED_S} s"
            print(
                f"{picture.name} -> {suffix}: {took['nothing'][0]:.2f} s with, {took['all'][0]:.2f} s without", end=": "
            )
            print(
                f"{over:+.2f} s ({verdict}), {took['nothing'][0] / took['all'][0]:.2f} times, {cpu:+.2f} s CPU", end=""
            )
            print(f"; of it signing {seal:+.2f} s")
            if over > ASKED_S and cpu <= ASKED_S:
                print("    the CPU says less than the clock: other work was on this machine")
            subprocess.run([sys.executable, __file__, "--child", "parts", str(picture)], check=True)


if __name__ == "__main__":
    main()
