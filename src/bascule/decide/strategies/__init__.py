"""What strategies decide: whether an answer is accepted, who is asked next, which answer is the best. Pure."""
