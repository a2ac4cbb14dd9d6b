-- What budgets were charged where that is not the cost (under a strict budget an estimate leaves its whole hold spent).
-- Null, as in every row from before: the cost, an unknown one as its hold.

ALTER TABLE attempts ADD COLUMN charged_nanousd INTEGER;
