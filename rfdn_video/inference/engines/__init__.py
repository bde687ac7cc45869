"""Engines: what computes the network, one small file each behind one protocol."""
