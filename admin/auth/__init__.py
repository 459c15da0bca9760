"""Sign-in, sessions, two-factor authentication, and the guard in front of every request (P7)."""
