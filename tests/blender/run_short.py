"""`make test-blender`: click through the add-on in a real Blender with a window, and keep a picture of each step.

    python tests/blender/run.py EXTENSION.zip PICTURES COMMAND…

COMMAND starts that Blender on some screen; ImageMagick's `import` must be there to picture it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

LIMIT = 900
FLAGS = ("--factory-startup", "--enable-event-simulate", "--python-exit-code", "1")


def main():
    extension, pictures = (Path(argument).resolve() for argument in sys.argv[1:3])
    shutil.rmtree(pictures, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="digidouble-clicks-", dir="/tmp") as scratch:
        told = {
            **os.environ,
            "BLENDER_USER_RESOURCES": scratch,
            "DIGIDOUBLE_CLICKS_EXTENSION": str(extension),
            "DIGIDOUBLE_CLICKS_OUT": str(pictures),
        }
        script = Path(__file__).with_name("clicks_short.py")
        done = subprocess.run([*sys.argv[3:], *FLAGS, "--python", str(script)], env=told, timeout=LIMIT, check=False)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
