"""One film on many machines: what is told to workers, what they do, and how it becomes one file.

A film is cut by time (``spans``). Workers make a segment each (``segment``) and publish it in the shared work folder
(``record``), after they have shown that they are of one kind (``handshake``); a folder that goes away is waited for
(``mount``). Ray places, retries and counts (``ray_job``, ``scheduling``, ``board``, ``connect``); ``film`` is the
driver, which has what is published joined (``joining``, ``replay``). Only ``scheduling``, ``connect`` and
``ray_job`` know Ray.
"""
