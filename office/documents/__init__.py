"""The archive of printed documents, each filed under a number; the PDF writer is in pdf/ (§10)."""
