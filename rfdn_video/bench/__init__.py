"""How fast this machine is, stage by stage, and with which settings. See docs/performance.md.

``rounds`` runs contestants in turn. ``stages`` are the parts of a job, each alone, and the whole; ``choices``
are settings of the network to compare; ``advice`` picks among them. ``clip`` makes a video where none is given.
"""
