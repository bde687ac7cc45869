"""From a path to frames.

``source`` opens a file, ``quarantine`` lets another process try it first, ``truncation`` finds what is missing of it,
``probe`` describes it (as ``info``, with ``other_streams``; ``uncarried`` is what no output can be told). ``decode``
gives its frames on one clock, made whole by ``deinterlace``, on a GPU by ``hwaccel``. ``script`` does the same for
VapourSynth scripts, ``glance`` for single pictures of a long film.
"""
