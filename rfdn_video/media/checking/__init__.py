"""Whether an output is what was meant: ``rehearsal`` tries it in small before any work, ``verify`` reads it back."""
