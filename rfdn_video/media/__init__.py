"""Files, in the order of their way through a job. Never imports torch.

``reading`` finds out what a file is and gives its frames, ``encoding`` decides on encoders and makes packets,
``keeping`` lets finished work outlive a job that was cut off, ``muxing`` writes the output with all that goes
along, ``checking`` tries an output in small before and reads it back afterwards. ``still`` reads and writes images.

Here lies what all of them speak of: what samples mean (``formats``, ``color``, ``alpha``, ``hdr``), time (``timing``,
``timeline``), what the enlarged video is like (``layout``), the elements of Matroska, and libav's log.
"""
