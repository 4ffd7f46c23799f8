"""Work in the background on the screen: its button, its bar, its result."""
