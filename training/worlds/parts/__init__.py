"""Things that scenes are furnished with: each maker takes a palette and returns a `Thing` of real size on y = 0."""
