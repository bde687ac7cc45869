"""Frames in, larger frames out, on any device. Never imports av."""
