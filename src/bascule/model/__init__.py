"""The vocabulary of Bascule: frozen values that every layer shares and that import nothing of ours."""
