"""What is left of a job that was cut off, and what it takes to go on.

An output is made in a ``work_folder``, locked, with room for it on the ``disk``. A ``segmented_encoder`` begins anew at
every segment; finished ``segments`` are noted in a ``journal`` and go on as one stream (``joined_times``). ``publish``
gives the finished file its name.
"""
