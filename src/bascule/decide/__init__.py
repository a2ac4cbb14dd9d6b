"""Pure decisions: no clock, no dice, no I/O. Time and randomness are arguments."""
