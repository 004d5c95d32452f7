"""Training of the network `behind`: what goes on behind an outline, guessed from what is seen beside it."""
