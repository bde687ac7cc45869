"""Files: probing, decoding, copying, encoding, checking. Never imports torch."""
