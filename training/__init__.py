"""How the shipped network is made. Not in the wheel; needs torch."""
