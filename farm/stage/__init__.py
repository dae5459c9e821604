"""Where the double is seen: sets, lights, cameras, and `Stage.apply`, the one entry to the scene."""
