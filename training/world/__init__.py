"""The world the pocket model knows: scenes of emoji glyphs, drawn, and said in words."""
