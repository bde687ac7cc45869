"""Frames in, larger frames out, on any device. Never imports av.

``upscaler`` is the face. ``pipe`` deals frames to devices, ``slots`` keeps several in flight on each, through
the queues of ``device``. For one picture, ``program`` goes from planes to RGB and back (``colorspace``) around
``enlarge``, which runs the network's passes and the resampling (``scaling``, ``resample``) strip by strip.
``engines`` compute the network, ``fusion`` rewrites it. ``tiling`` decides on bands, ``bands`` runs them
(``esa_bands``, ``rows``), ``fit`` makes them smaller where memory is short.
"""
