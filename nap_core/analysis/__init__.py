"""Analyses of a study: the results table, w, score variants, layers, channels, shifts, sensitivity, single images."""
