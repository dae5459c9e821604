"""Who is on stage: body, face, skin, eyes, wardrobe, rig and groom."""
