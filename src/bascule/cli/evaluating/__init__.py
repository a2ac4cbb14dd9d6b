"""What `bascule eval` and `bascule switch-check` share: a gateway of the command's own, and how results are shown."""
