"""Files: probing, decoding, copying, encoding, checking. Never imports torch.

Reading: ``source`` opens a file, ``truncation`` finds what is missing of it, ``probe`` describes it (as
``info``), ``decode`` gives its frames on one clock (``timing``, ``timeline``), made whole by ``deinterlace``;
``script`` does the same for VapourSynth scripts, ``still`` for images.

Deciding: ``color``, ``formats`` and ``hdr`` what samples mean, ``streams`` what becomes of sound and subtitles,
``target`` container and encoder (``encoders``, ``builds``, ``ffmpeg_program``); ``rehearsal`` tries it in small.

Writing: ``mux`` is the output. Pictures go through a ``video_encoder`` (or ``ffmpeg_encoder``), everything else
through ``side_streams`` and its ``carriers``; ``tags``, ``chapters`` and ``timecode`` describe it.

Checking: ``verify`` reads the finished file back, ``publish`` gives it its name.
"""
