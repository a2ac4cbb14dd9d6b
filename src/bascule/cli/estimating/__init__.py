"""What `bascule estimate` does: requests of a file, plans of a month's work, prices, and how they are shown."""
