"""What `bascule evidence` reads, and how it shows it."""
