"""From packets to a file.

``mux`` is the output: the video's packets, and through ``side_streams`` and its ``carriers`` all that ``streams`` has
decided to take along; ``tags`` and ``chapters`` describe it.
"""
