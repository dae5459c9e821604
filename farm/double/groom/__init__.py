"""The groom: hairstyles as data, combed by a numpy solver, grown to strands by Blender's own hair node assets."""
