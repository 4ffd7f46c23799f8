"""Channels on the screen: ranked strip, tiles, one channel in detail."""
