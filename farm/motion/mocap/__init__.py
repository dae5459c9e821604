"""Other people's motion: files of any naming, unit, axis and frame rate, as clips of the canonical skeleton."""
