"""Training, evaluation and the paper's studies; needs nothing of the video pipeline."""
