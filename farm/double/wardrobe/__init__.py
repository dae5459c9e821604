"""What the double wears: outfits cut from the base mesh's tights, how they hang, and their cloths."""
