"""Workers that borrow from one authority, in every order that small numbers allow and in very many random ones."""
