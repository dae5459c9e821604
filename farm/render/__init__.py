"""How pixels are made: Cycles' settings, passes, sample chunks and pairs."""
