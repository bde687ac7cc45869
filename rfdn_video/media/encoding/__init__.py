"""From frames to packets.

``target`` decides on container and encoder, by what is known of them (``encoders``) and what is there (``builds``,
``ffmpeg_program``); ``result_color`` what colour they can say. A ``video_encoder`` is one of PyAV's, or through
``hdr_encoder`` one that also tells the container of mastering display and light level; a ``ffmpeg_encoder`` runs the
ffmpeg program.
"""
