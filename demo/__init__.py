"""The demo: a short film painted by the project itself, and what enlarging it gains."""
