"""`make test-blender`: click through the add-on in a real Blender with a window, and keep a picture of each step.

    python tests/blender/run.py EXTENSION.zip PICTURES COMMAND…

COMMAND starts that Blender on some screen; ImageMagick's `import` must be there to picture it. A Ray with a token runs
beside it, in this Python, for the panel Farm.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.blender import files
from tests.ray_head import TOKEN, running

LIMIT = 1200
FLAGS = ("--factory-startup", "--enable-event-simulate", "--python-exit-code", "1")
OWN = ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")
"""The user's own token, which clicks do without."""


def main():
    extension, pictures = (Path(argument).resolve() for argument in sys.argv[1:3])
    shutil.rmtree(pictures, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="digidouble-clicks-", dir="/tmp") as scratch, running() as cluster:
        told = {
            **{name: value for name, value in os.environ.items() if name not in OWN},
            "BLENDER_USER_RESOURCES": scratch,
            "DIGIDOUBLE_CLICKS_EXTENSION": str(extension),
            "DIGIDOUBLE_CLICKS_OUT": str(pictures),
            "DIGIDOUBLE_CLICKS_CLUSTER": cluster.url,
            "DIGIDOUBLE_CLICKS_TOKEN": TOKEN,
            "DIGIDOUBLE_CLICKS_DATASETS": f"{scratch}/datasets",
            "DIGIDOUBLE_CLICKS_FILES": f"{scratch}/files",
        }
        files.write(Path(scratch, "files"))
        script = Path(__file__).with_name("clicks.py")
        done = subprocess.run([*sys.argv[3:], *FLAGS, "--python", str(script)], env=told, timeout=LIMIT, check=False)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
