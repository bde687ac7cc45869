"""What a batch is doing, over HTTP: a page for people, JSON for programs, metrics for Prometheus.

It only reads: the ledger, and the small pictures that workers leave beside it.
"""
