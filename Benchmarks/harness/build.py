"""The programs of a run: those that are installed, and the release build of Antechamber."""

import shutil
import subprocess
from pathlib import Path

from harness import Problem
from harness.machine import say

_ROOT = Path(__file__).resolve().parent.parent.parent


def programs(needed: set[str], flags, all_needed: bool = True) -> dict[str, Path]:
    """Finds what is needed, nginx and wrk always, and builds Antechamber if it is among that. What is not installed
    is left out of the answer with a message where not all are needed."""
    backstage = {"nginx", "wrk"}
    needed = needed | backstage
    found = {name: shutil.which(name) for name in needed}
    if "antechamber" in needed:
        if flags.binary and not shutil.which(flags.binary.resolve()):
            raise Problem(f"--binary {flags.binary}: no such executable")
        found["antechamber"] = flags.binary.resolve() if flags.binary else release("antechamber", flags.scratch)
    missing = sorted(name for name, place in found.items() if not place)
    if missing and (all_needed or backstage & set(missing)):
        raise Problem(f"not installed: {', '.join(missing)}")
    if missing:
        say(f"not installed, so left out: {', '.join(missing)}")
    return {name: Path(place) for name, place in found.items() if place}


def release(product: str, scratch: Path) -> Path:
    """Builds under `scratch`, so as not to wait for, nor to disturb, a developer's own build; returns
    the executable. The Swift runtime is linked in, as in what is shipped, unless the toolchain cannot."""
    for linking in (["--static-swift-stdlib"], []):
        command = ["swift", "build", "-c", "release", "--product", product, *linking]
        command += ["--package-path", str(_ROOT), "--scratch-path", str(scratch / "swift")]
        say("building: " + " ".join(command))
        try:
            if subprocess.run(command, stdout=2, check=False).returncode == 0:
                shown = subprocess.run([*command, "--show-bin-path"], capture_output=True, text=True, check=True)
                return Path(shown.stdout.strip()) / product
        except FileNotFoundError:
            break
        if linking:
            say("that did not build; trying with the Swift runtime as shared libraries")
    raise Problem(f"{product} cannot be built; see above, or pass --binary PATH, or leave it out with --only")
