"""Other people's price lists, read into the price book's own shape: what they agree and differ on can then be told."""
