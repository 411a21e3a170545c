"""The release build of Antechamber."""

import subprocess
from pathlib import Path

from harness import Problem
from harness.machine import say


def release(root: Path, scratch: Path) -> Path:
    """Builds under `scratch`, so as not to wait for, nor to disturb, a developer's own build; returns
    the executable. The Swift runtime is linked in, as in what is shipped, unless the toolchain cannot."""
    for linking in (["--static-swift-stdlib"], []):
        command = ["swift", "build", "-c", "release", "--product", "antechamber", *linking]
        command += ["--package-path", str(root), "--scratch-path", str(scratch / "swift")]
        say("building: " + " ".join(command))
        try:
            if subprocess.run(command, stdout=2, check=False).returncode == 0:
                shown = subprocess.run([*command, "--show-bin-path"], capture_output=True, text=True, check=True)
                return Path(shown.stdout.strip()) / "antechamber"
        except FileNotFoundError:
            break
        if linking:
            say("that did not build; trying with the Swift runtime as shared libraries")
    raise Problem("antechamber cannot be built; see above, or pass --binary PATH, or leave it out with --only")
